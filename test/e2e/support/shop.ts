import { afterAll, beforeAll, describe } from '@jest/globals';
import { eventually, type RedisServer, startRedis } from 'rookery/testing';
import { HTTP_ADAPTERS, type HttpAdapterName } from '../../../src/app/config/environment.js';
import type { Settings } from '../../../src/app/config/settings.js';
import { createApp, type ShopApplication } from '../../../src/app/create-app.js';
import type { OpenDatabase } from '../../../src/app/database/open-database.js';
import { ShopLogger } from '../../../src/app/logging/logger.js';
import { openFilledDatabase, PRODUCTS } from './filled-database.js';

/** What came back over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What a test has otherwise than other tests. */
export type ShopSettings = Partial<Omit<Settings, 'redisUrl'>>;

/** All requests of the tests come from one address. */
const UNLIMITED: Omit<Settings, 'redisUrl'> = {
  clientLimits: { burst: 1_000_000, sustained: 1_000_000 },
  trustedProxies: [],
  adminToken: undefined,
  sessionSecrets: ['the secret of the tests, in 32 characters or more'],
  // Nobody is there.
  payments: { url: 'http://127.0.0.1:1', apiKey: undefined, timeoutMs: 5_000 },
};

function asJson(body: unknown): RequestInit {
  return {
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** The service over a Redis and a database of its own, as a client on the network sees it. */
export class Shop {
  static readonly products = PRODUCTS;

  private constructor(
    readonly redis: RedisServer,
    readonly database: OpenDatabase,
    readonly app: ShopApplication,
    readonly url: string,
    private readonly httpAdapter: HttpAdapterName,
    private readonly settings: ShopSettings,
  ) {}

  static async open(httpAdapter: HttpAdapterName, settings: ShopSettings = {}): Promise<Shop> {
    const [redis, database] = await Promise.all([startRedis(), openFilledDatabase()]);
    return Shop.#on(redis, database, httpAdapter, settings);
  }

  /** On a database that outlives the shop: whoever opened it closes it. An embedded Postgres takes seconds to start. */
  static async openOn(
    database: OpenDatabase,
    httpAdapter: HttpAdapterName,
    settings: ShopSettings = {},
  ): Promise<Shop> {
    return Shop.#on(await startRedis(), { ...database, close: async () => undefined }, httpAdapter, settings);
  }

  static async #on(
    redis: RedisServer,
    database: OpenDatabase,
    httpAdapter: HttpAdapterName,
    settings: ShopSettings,
  ): Promise<Shop> {
    const app = await createApp({
      httpAdapter,
      logger: new ShopLogger('fatal'),
      settings: { ...UNLIMITED, redisUrl: redis.url, ...settings },
      database: database.db,
    });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as { readonly port: number };
    const shop = new Shop(redis, database, app, `http://127.0.0.1:${port}`, httpAdapter, settings);
    await shop.#untilWarm();
    return shop;
  }

  /** Runs `work` with another instance of the service on the same Redis and the same database. */
  async withAnother(work: (other: Shop) => Promise<void>): Promise<void> {
    const other = await Shop.#on(this.redis, this.database, this.httpAdapter, this.settings);
    try {
      await work(other);
    } finally {
      await other.app.close();
    }
  }

  async get(path: string): Promise<Answer> {
    return this.send(path);
  }

  async put(path: string, body: unknown): Promise<Answer> {
    return this.send(path, { method: 'PUT', ...asJson(body) });
  }

  async post(path: string, body?: unknown): Promise<Answer> {
    return this.send(path, { method: 'POST', ...(body === undefined ? {} : asJson(body)) });
  }

  async send(path: string, init?: RequestInit): Promise<Answer> {
    const response = await fetch(this.url + path, { signal: AbortSignal.timeout(10_000), ...init });
    const text = await response.text();
    const json = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  }

  /** Waits until the service itself has noticed. */
  async untilReadyIs(status: string): Promise<void> {
    await eventually(async () => {
      const { body } = await this.get('/health/ready');
      if ((body as { readonly status: string }).status !== status) throw new Error(JSON.stringify(body));
    });
  }

  /** The first requests of a process compile code, for longer than the cache waits for Redis. */
  async #untilWarm(): Promise<void> {
    await eventually(async () => {
      const { headers } = await this.get(`/products/${Shop.products}`);
      if (headers.get('x-cache') !== 'hit') throw new Error('The cache does not answer yet.');
    });
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.database.close();
    await this.redis.stop();
  }
}

type Tests = (shop: () => Shop, adapter: HttpAdapterName) => void;

/** The same tests on each HTTP adapter, with one shop for each. */
export function describeAdapters(tests: Tests, settings?: ShopSettings): void {
  describeOn((adapter) => Shop.open(adapter, settings), tests);
}

/** For tests that leave the database as they found it: the shops share one. */
export function describeAdaptersOnOneDatabase(tests: Tests, settings?: ShopSettings): void {
  let database: OpenDatabase;
  beforeAll(async () => {
    database = await openFilledDatabase();
  });
  afterAll(() => database.close());
  describeOn((adapter) => Shop.openOn(database, adapter, settings), tests);
}

function describeOn(open: (adapter: HttpAdapterName) => Promise<Shop>, tests: Tests): void {
  describe.each(HTTP_ADAPTERS)('on %s', (adapter) => {
    let shop: Shop;
    beforeAll(async () => {
      shop = await open(adapter);
    });
    afterAll(() => shop.close());
    tests(() => shop, adapter);
  });
}
