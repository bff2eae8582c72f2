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
}
