import { Injectable } from '@nestjs/common';
import { type Database, InjectDatabase } from '../database/database.js';
import { EmailTakenError } from './auth.errors.js';
import type { Login, User } from './user.js';

/** The users in Postgres. Each method is one statement. */
@Injectable()
export class UserRepository {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The user and the hash of the password, or null when nobody has the address. */
  async findByEmail(email: string): Promise<Login | null> {
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

  async findPasswordHash(userId: number): Promise<string | undefined> {
    const row = await this.db.selectFrom('users').select('password_hash').where('id', '=', userId).executeTakeFirst();
    return row?.password_hash;
  }

  /** Whether there is such a user. */
  async changePasswordHash(userId: number, passwordHash: string): Promise<boolean> {
    const values = { password_hash: passwordHash };
    const result = await this.db.updateTable('users').set(values).where('id', '=', userId).executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async remove(userId: number): Promise<void> {
    await this.db
      .with('settings', (db) => db.deleteFrom('user_settings').where('user_id', '=', userId))
      .deleteFrom('users')
      .where('id', '=', userId)
      .execute();
  }
}
