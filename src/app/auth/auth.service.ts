import { Injectable } from '@nestjs/common';
import { Passwords } from './passwords.js';
import type { Credentials, Login, Registration, User } from './user.js';
import { UserRepository } from './user.repository.js';

/** Who is who. Addresses of mail are one in small and in capital letters. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UserRepository,
    private readonly passwords: Passwords,
  ) {}

  /** @throws EmailTakenError */
  async register({ email, name, password }: Registration): Promise<User> {
    return this.users.add(email.toLowerCase(), name, await this.passwords.hash(password));
  }

  /** The user whose credentials these are, or null: which of them is wrong is not said, nor to be told from the time it takes. */
  async logIn({ email, password }: Credentials): Promise<Login | null> {
    const found = await this.users.findByEmail(email.toLowerCase());
    return (await this.passwords.matches(password, found?.passwordHash)) ? found : null;
  }

  /**
   * Whether the user is there and the password is still the one. It takes a while to look at a password: when it is changed in that time, all sessions end, and the
   * one that is made of it afterwards has to be ended by who makes it.
   */
  async isCurrent({ user, passwordHash }: Login): Promise<boolean> {
    return (await this.users.findPasswordHash(user.id)) === passwordHash;
  }

  /**
   * Whether the new password is the one: not when the password is wrong, or there is no such user any more. Whoever tries again after a failure on the way has
   * changed it already, which is as good.
   */
  async changePassword(userId: number, password: string, newPassword: string): Promise<boolean> {
    const current = await this.users.findPasswordHash(userId);
    if (!(await this.passwords.matches(password, current))) return this.passwords.matches(newPassword, current);
    return this.users.changePasswordHash(userId, await this.passwords.hash(newPassword));
  }

  /** Whoever is gone cannot log in again; sessions are the caller's to end. */
  async remove(userId: number): Promise<void> {
    await this.users.remove(userId);
  }
}
