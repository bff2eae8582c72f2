import { mkdir } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { StartupError } from '../config/startup.error.js';
import { type Database, serverVersion } from './database.js';
import { migrate } from './migrate.js';
import type { Schema } from './schema.js';

/** Where the data is: a server, or the folder of an embedded Postgres. */
export type DatabaseLocation = { readonly url: string } | { readonly folder: string };

/** An open database with an up-to-date schema, and what closes it. */
export interface OpenDatabase {
  readonly db: Database;
  /** For people: what runs. */
  readonly description: string;
  /** Waits for the queries under way, then closes. */
  close(): Promise<void>;
}

/** What is to be done with the database before it is used, with more patience than a request gets. */
export type Prepare = (db: Database) => Promise<unknown>;

/** No request waits longer than this for the database: a free connection (2 s), then one statement (5 s). */
const CONNECT_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 5_000;
/** A migration, or the wait for another service that is migrating, may take longer than a request may. */
const PREPARE_TIMEOUT_MS = 60_000;
const POOL_SIZE = 10;
/** It clears its buffers when it starts, which takes longer than all the rest with the usual 128 MB. */
const EMBEDDED_PARAMETERS = ['-c', 'shared_buffers=16MB'];

/**
 * Opens the database, migrates it, and prepares it further as told. The embedded Postgres speaks the same protocol
 * through the same driver, so that nothing above this function can tell which one it has.
 *
 * @throws StartupError when the server is out of reach, or when a migration fails.
 */
export async function openDatabase(location: DatabaseLocation, prepare: Prepare): Promise<OpenDatabase> {
  return 'url' in location ? openServer(location.url, prepare) : openEmbedded(location.folder, prepare);
}

async function openServer(url: string, prepare: Prepare): Promise<OpenDatabase> {
  const patient = queryBuilder(serverPool(url, PREPARE_TIMEOUT_MS));
  try {
    const description = `Postgres ${await reachable(patient)}`;
    await migrate(patient);
    await prepare(patient);
    const db = queryBuilder(serverPool(url, STATEMENT_TIMEOUT_MS));
    return { db, description, close: () => db.destroy() };
  } finally {
    await patient.destroy();
  }
}

async function openEmbedded(folder: string, prepare: Prepare): Promise<OpenDatabase> {
  const embedded = await startEmbedded(folder);
  const db = queryBuilder(embeddedPool(embedded));
  const close = async (): Promise<void> => {
    await db.destroy();
    await embedded.close();
  };
  try {
    await migrate(db);
    await prepare(db);
    return { db, description: `Embedded Postgres (PGlite) ${await serverVersion(db)}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function queryBuilder(pool: pg.Pool): Database {
  // A pooled connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

function serverPool(url: string, statementTimeoutMs: number): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    // The server ends a slow statement; this frees the caller of a server that no longer answers at all.
    query_timeout: statementTimeoutMs + 500,
    keepAlive: true,
    application_name: 'rookery-shop',
  });
}

/** One connection is all that an embedded Postgres has; queries and transactions queue for it, and it never idles out. */
function embeddedPool(embedded: PGlite): pg.Pool {
  const limits = { max: 1, idleTimeoutMillis: 0, connectionTimeoutMillis: STATEMENT_TIMEOUT_MS };
  return new pg.Pool(Object.assign(createPgConfig(embedded), limits));
}

async function startEmbedded(folder: string): Promise<PGlite> {
  await mkdir(folder, { recursive: true });
  try {
    return await PGlite.create(folder, { startParams: [...PGlite.defaultStartParams, ...EMBEDDED_PARAMETERS] });
  } catch (error) {
    throw new StartupError(
      `The embedded Postgres cannot open its data in ${folder}. Remove the folder to start with fresh data.`,
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
