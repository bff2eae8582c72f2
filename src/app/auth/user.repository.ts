import { Injectable } from '@nestjs/common';
import { type Database, InjectDatabase } from '../database/database.js';
import { EmailTakenError } from './auth.errors.js';
import type { User } from './user.js';

/** The users in Postgres. Each method is one statement. */
@Injectable()
export class UserRepository {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The user and the hash of the password, or null when nobody has the address. */
  async findByEmail(email: string): Promise<{ readonly user: User; readonly passwordHash: string } | null> {
    const row = await this.db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst();
    if (row === undefined) return null;
    return { user: { id: row.id, email: row.email, name: row.name }, passwordHash: row.password_hash };
  }

  /** @throws EmailTakenError */
  async add(email: string, name: string, passwordHash: string): Promise<User> {
    const user = await this.db
      .insertInto('users')
      .values({ email, name, password_hash: passwordHash })
      .onConflict((on) => on.column('email').doNothing())
      .returning(['id', 'email', 'name'])
      .executeTakeFirst();
    if (user === undefined) throw new EmailTakenError();
    return user;
  }
}
