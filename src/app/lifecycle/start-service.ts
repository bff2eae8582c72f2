import { join } from 'node:path';
import { seedCatalogue } from '../catalogue/seed/seed-catalogue.js';
import type { AppConfig } from '../config/app-config.js';
import { redactUrl } from '../config/redact-url.js';
import { StartupError } from '../config/startup.error.js';
import { createApp, type ShopApplication } from '../create-app.js';
import { type DatabaseLocation, type OpenDatabase, openDatabase } from '../database/open-database.js';
import { DOCS_PATH } from '../http/api-docs.js';
import { ShopLogger } from '../logging/logger.js';
import { closeGracefully } from './close-gracefully.js';
import { lockFolder } from './folder-lock.js';
import { openPayments } from './open-payments.js';
import { openRedis } from './open-redis.js';
import { sessionSecrets } from './session-secrets.js';
import { Teardown } from './teardown.js';

/** A service that answers. */
export interface RunningService {
  /** Without a slash at its end. */
  readonly url: string;
  /** For people: what was started, one thing a line. */
  readonly summary: readonly string[];
  /** Ends it without losing a request; resolves when everything that was started is closed. */
  stop(): Promise<void>;
}

/** Opens Redis, Postgres and the payments, fills an empty shop, and listens. When a step fails, the steps before it are undone. */
export async function startService(config: AppConfig): Promise<RunningService> {
  const teardown = new Teardown();
  try {
    const redis = await openRedis(config);
    teardown.add(() => redis.close());
    const database = await openPostgres(config, teardown);
    teardown.add(() => database.close());
    const payments = await openPayments(config);
    teardown.add(() => payments.close());
    const app = await createApp({
      httpAdapter: config.httpAdapter,
      logger: new ShopLogger(config.logLevel),
      settings: {
        redisUrl: redis.url,
        clientLimits: config.clientLimits,
        trustedProxies: config.trustedProxies,
        adminToken: config.adminToken,
        sessionSecrets: await sessionSecrets(config),
        payments: payments.settings,
      },
      database: database.db,
    });
    teardown.add(() => closeGracefully(app));
    const url = await listen(app, config);
    const summary = [
      `The shop is open at ${url}`,
      `  API docs  ${url}/${DOCS_PATH}`,
      `  Redis     ${redis.description}`,
      `  Database  ${database.description}`,
      `  Payments  ${payments.description}`,
    ];
    return { url, summary, stop: () => teardown.run() };
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function openPostgres({ databaseUrl, dataDir }: AppConfig, teardown: Teardown): Promise<OpenDatabase> {
  let location: DatabaseLocation;
  let place: string;
  if (databaseUrl !== undefined) {
    location = { url: databaseUrl };
    place = ` at ${redactUrl(databaseUrl)}`;
  } else {
    const folder = join(dataDir, 'postgres');
    teardown.add(await lockFolder(folder));
    location = { folder };
    place = `, data in ${folder}`;
  }
  let seeded = 0;
  const database = await openDatabase(location, async (db) => {
    seeded = await seedCatalogue(db);
  });
  const news = seeded > 0 ? `, filled with ${seeded} products` : '';
  return { ...database, description: `${database.description}${place}${news}` };
}

async function listen(app: ShopApplication, { host, port }: AppConfig): Promise<string> {
  try {
    await app.listen(port, host);
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
      throw new StartupError(`The service cannot listen on ${host}:${port}: ${why}. Set PORT or HOST.`, error);
    }
    throw error;
  }
  const address: unknown = app.getHttpServer().address();
  const actual = typeof address === 'object' && address !== null && 'port' in address ? String(address.port) : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${actual}`;
}
