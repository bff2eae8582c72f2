import { Inject } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.js';

/** The query builder, typed by the schema. */
export type Database = Kysely<Schema>;

export const DATABASE = Symbol('Database');

/** Injects the {@link Database}. */
export const InjectDatabase = (): ParameterDecorator => Inject(DATABASE);

/** Which server it is, in words. One round trip; fails when the database is out of reach. */
export async function serverVersion(db: Database): Promise<string> {
  const { rows } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(db);
  return rows[0]?.version ?? 'of an unknown version';
}
