import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from 'rookery/testing';
import { HTTP_ADAPTERS } from '../../src/app/config/environment.js';
import type { OpenDatabase } from '../../src/app/database/open-database.js';
import { closeGracefully } from '../../src/app/lifecycle/close-gracefully.js';
import { openFilledDatabase } from './support/filled-database.js';
import { whileDatabaseIsOccupied } from './support/occupy-database.js';
import { Shop } from './support/shop.js';

const CLIENTS = 20;

/** One client: requests one after the other on one connection that is kept alive. */
class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closed = false;

  constructor(private readonly url: string) {}

  ask(path: string): Promise<{ readonly status?: number | undefined; readonly connection?: string | undefined }> {
    return new Promise((resolve, reject) => {
      const request = get(this.url + path, { agent: this.#agent }, (response) => {
        const { statusCode: status, headers } = response;
        response.resume().once('end', () => resolve({ status, connection: headers.connection }));
      });
      request.once('error', reject);
      request.once('socket', (socket) => void socket.once('close', () => (this.closed = true)));
    });
  }

  end(): void {
    this.#agent.destroy();
  }
}

function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function connectTo(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(void socket.destroy()));
    socket.once('error', reject);
  });
}

describe.each(HTTP_ADAPTERS)('stopping the service on %s', (adapter) => {
  let database: OpenDatabase;
  let shop: Shop;
  const clients: Client[] = [];
  beforeAll(async () => {
    database = await openFilledDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    shop = await Shop.openOn(database, adapter);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.end();
    await shop.close();
  });

  it('finishes what is under way, closes what is idle, and takes nothing new', async () => {
    clients.push(...Array.from({ length: CLIENTS }, () => new Client(shop.url)));
    const [idle, ...busy] = clients;
    for (const client of clients) expect(await client.ask('/products/1')).toMatchObject({ status: 200 });
    let taken = 0;
    shop.app.getHttpServer().on('request', () => (taken += 1));
    const { answers, closed } = await whileDatabaseIsOccupied(shop, async () => {
      const answers = Promise.all(busy.map((client, index) => client.ask(`/products?page=${index + 1}&pageSize=1`)));
      await eventually(() => expect(taken).toBe(busy.length));

      const closed = closeGracefully(shop.app);
      await eventually(() => expect(connectTo(shop.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' }));
      await eventually(() => expect(idle?.closed).toBe(true));
      expect(busy.filter((client) => client.closed)).toEqual([]);
      return { answers, closed };
    });
    expect(await answers).toEqual(busy.map(() => ({ status: 200, connection: 'close' })));
    await closed;
  });

  it('answers everybody who had connected before, however slowly it gets round to them', async () => {
    const crowd = 200;
    let connected = 0;
    let isOver = false;
    const slowTurn = (): void => {
      blockFor(15);
      if (!isOver) setImmediate(slowTurn);
    };
    const ask = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = get(`${shop.url}/products/1`, { agent: false }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode));
        });
        request.once('error', reject);
        request.once('socket', (socket) => void socket.once('connect', () => (connected += 1)));
      });
    const answers = Promise.all(Array.from({ length: crowd }, ask));
    slowTurn();
    try {
      await eventually(() => expect(connected).toBe(crowd), { within: '20s' });
      const closed = closeGracefully(shop.app);
      expect(new Set(await answers)).toEqual(new Set([200]));
      await closed;
    } finally {
      isOver = true;
    }
  });

  it('takes the views that it has acknowledged to the database, while that is still open', async () => {
    const views = await Promise.all(Array.from({ length: 30 }, () => shop.post('/products/1/views')));
    expect(new Set(views.map(({ status }) => status))).toEqual(new Set([202]));
    await closeGracefully(shop.app);
    const row = await shop.database.db.selectFrom('product_views').select('views').executeTakeFirst();
    expect(Number(row?.views)).toBe(30);
  });
});
