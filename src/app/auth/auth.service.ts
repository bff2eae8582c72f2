import { Injectable } from '@nestjs/common';
import { Passwords } from './passwords.js';
import type { Credentials, Registration, User } from './user.js';
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
  async logIn({ email, password }: Credentials): Promise<User | null> {
    const found = await this.users.findByEmail(email.toLowerCase());
    return (await this.passwords.matches(password, found?.passwordHash)) ? (found?.user ?? null) : null;
  }

  /** Whether it was changed: not when the password is wrong, or there is no such user any more. */
  async changePassword(userId: number, password: string, newPassword: string): Promise<boolean> {
    const current = await this.users.findPasswordHash(userId);
    if (!(await this.passwords.matches(password, current))) return false;
    return this.users.changePasswordHash(userId, await this.passwords.hash(newPassword));
  }

  /** Whoever is gone cannot log in again; sessions are the caller's to end. */
  async remove(userId: number): Promise<void> {
    await this.users.remove(userId);
  }
}
