import { mkdir } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { StartupError } from '../config/startup.error.js';
import { type Database, serverVersion } from './database.js';
import { migrate } from './migrate.js';
import type { Schema } from './schema.js';

/** Where the data is: a server, a folder of an embedded Postgres, or memory that dies with the process. */
export type DatabaseLocation = { readonly url: string } | { readonly folder: string } | 'memory';

/** An open database with an up-to-date schema, and what closes it. */
export interface OpenDatabase {
  readonly db: Database;
  /** For people: what runs. */
  readonly description: string;
  /** Waits for the queries under way, then closes. */
  close(): Promise<void>;
}

/** No request waits longer than this for the database: a free connection (2 s), then one statement (5 s). */
const CONNECT_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 5_000;
const POOL_SIZE = 10;

/**
 * Opens the database and migrates it. The embedded Postgres speaks the same protocol through the same driver, so
 * that nothing above this function can tell which one it has.
 *
 * @throws StartupError when the server is out of reach, or when a migration fails.
 */
export async function openDatabase(location: DatabaseLocation): Promise<OpenDatabase> {
  const { pool, name, stop } = await connect(location);
  // A pooled connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  const close = async () => {
    await db.destroy();
    await stop();
  };
  try {
    const description = `${name} ${await reachable(db)}`;
    await migrate(db);
    return { db, description, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Connection {
  readonly pool: pg.Pool;
  readonly name: string;
  readonly stop: () => Promise<void>;
}

async function connect(location: DatabaseLocation): Promise<Connection> {
  if (location !== 'memory' && 'url' in location) {
    const pool = new pg.Pool({
      connectionString: location.url,
      max: POOL_SIZE,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      // The server ends a slow statement; this frees the caller of a server that no longer answers at all.
      query_timeout: STATEMENT_TIMEOUT_MS + 500,
      keepAlive: true,
      application_name: 'rookery-shop',
    });
    return { pool, name: 'Postgres', stop: async () => {} };
  }
  const embedded = await openEmbedded(location);
  // One connection is all that an embedded Postgres has; queries and transactions queue for it, and it never idles out.
  const pool = new pg.Pool({
    ...createPgConfig(embedded),
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: STATEMENT_TIMEOUT_MS,
  });
  return { pool, name: 'Embedded Postgres (PGlite)', stop: () => embedded.close() };
}

async function openEmbedded(location: { readonly folder: string } | 'memory'): Promise<PGlite> {
  if (location === 'memory') {
    return PGlite.create();
  }
  await mkdir(location.folder, { recursive: true });
  try {
    return await PGlite.create(location.folder);
  } catch (error) {
    throw new StartupError(
      `The embedded Postgres cannot open its data in ${location.folder}. Remove the folder to start with fresh data.`,
      error,
    );
  }
}

async function reachable(db: Database): Promise<string> {
  try {
    return await serverVersion(db);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      `The database of DATABASE_URL cannot be used: ${why}\nCheck the variable, or leave it out to run an embedded Postgres.`,
      error,
    );
  }
}
