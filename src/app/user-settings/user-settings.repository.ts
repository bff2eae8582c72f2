import { Injectable } from '@nestjs/common';
import { type Selectable, sql } from 'kysely';
import { type Database, InjectDatabase } from '../database/database.js';
import type { UserSettingsTable } from '../database/schema.js';
import type { UserSettings, UserSettingsChange } from './user-settings.js';

/** The settings in Postgres. Each method is one statement. */
@Injectable()
export class UserSettingsRepository {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The user's settings, or null when they have never been saved. */
  async find(userId: number): Promise<UserSettings | null> {
    const row = await this.db.selectFrom('user_settings').selectAll().where('user_id', '=', userId).executeTakeFirst();
    return row === undefined ? null : toSettings(row);
  }

  /** Saves them, over what was there. */
  async save(userId: number, settings: UserSettingsChange): Promise<UserSettings> {
    const values = { ...settings, updated_at: sql<Date>`now()` };
    const row = await this.db
      .insertInto('user_settings')
      .values({ user_id: userId, ...values })
      .onConflict((on) => on.column('user_id').doUpdateSet(values))
      .returningAll()
      .executeTakeFirstOrThrow();
    return toSettings(row);
  }
}

function toSettings({ language, currency, newsletter, updated_at }: Selectable<UserSettingsTable>): UserSettings {
  return { language, currency, newsletter, updatedAt: updated_at.toISOString() };
}
