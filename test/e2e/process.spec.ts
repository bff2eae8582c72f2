import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from 'rookery/testing';
import { HTTP_ADAPTERS, type HttpAdapterName } from '../../src/app/config/environment.js';
import { FakeProvider } from '../../src/app/payments/fake-provider/fake-provider.js';
import { ServiceProcess } from './support/service-process.js';

let dataDir: string;
const services: ServiceProcess[] = [];
/** What the test before has left for the next one, on the adapter that is the default. */
let leftRunning: ServiceProcess | undefined;

function start(env: NodeJS.ProcessEnv): ServiceProcess {
  const unlimited = { RATE_LIMIT_BURST: '1000000', RATE_LIMIT_SUSTAINED: '1000000' };
  const service = new ServiceProcess({ PORT: '0', DATA_DIR: dataDir, ...unlimited, ...env });
  services.push(service);
  return service;
}

/**
 * A service that listens. A start takes seconds, so that a test goes on with what the test before it has left, if anything:
 * each passes by itself too.
 */
async function running(adapter: HttpAdapterName = 'fastify'): Promise<ServiceProcess> {
  const left = leftRunning;
  leftRunning = undefined;
  if (left !== undefined && adapter === 'fastify') return left;
  await left?.kill();
  const service = start({ HTTP_ADAPTER: adapter });
  await service.url();
  return service;
}

/** Leaves the service to the next test: the last thing that a test does, when all is well. */
function leave(service: ServiceProcess): void {
  leftRunning = service;
}

async function killAll(except?: ServiceProcess): Promise<void> {
  leftRunning = except;
  const others = services.splice(0).filter((service) => service !== except);
  if (except !== undefined) services.push(except);
  await Promise.all(others.map((service) => service.kill()));
}

/**
 * Asks again and again until connections are refused, on connections that are kept alive. An idle one may be closed just as
 * the next request sets out on it: then the client tries again, as clients do, and the service's log proves that the request
 * never reached it. A reset means that something lay unread. That is for clients alone that were told to go elsewhere and come
 * back nevertheless, in the very moment in which the listening ends.
 */
async function askUntilRefused(url: string): Promise<number[]> {
  const statuses: number[] = [];
  let toldToGo = false;
  for (;;) {
    try {
      const answer = await fetch(url);
      await answer.text();
      statuses.push(answer.status);
      toldToGo = answer.headers.get('connection') === 'close';
    } catch (error) {
      const { cause } = error as { readonly cause?: { readonly code?: string } };
      if (cause?.code === 'ECONNREFUSED') return statuses;
      const closedWhileIdle = cause?.code === 'UND_ERR_SOCKET';
      const cameBack = cause?.code === 'ECONNRESET' && toldToGo;
      if (!closedWhileIdle && !cameBack) throw error;
    }
  }
}

/** The process of a Redis server, by its own word. */
async function processOf(redisUrl: string): Promise<number> {
  const client = new Redis(redisUrl, { retryStrategy: () => null });
  try {
    const [, pid] = /process_id:(\d+)/.exec(await client.info('server')) ?? [];
    return Number(pid);
  } finally {
    client.disconnect();
  }
}

/** What the service logged of the requests that it took. */
function requestsIn(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.includes('"context":"Http"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rookery-shop-'));
});
afterEach(() => killAll(leftRunning));
afterAll(async () => {
  await killAll();
  await rm(dataDir, { recursive: true, force: true });
});

describe('the service as a process', () => {
  it('fills an empty shop at its first start', async () => {
    const service = await running();
    expect(service.output).toMatch(/Database {2}.+, data in .+, filled with 10000 products\n/);
    leave(service);
  });

  it('writes one JSON object for each request, without the values in its URL', async () => {
    const service = await running();
    const url = await service.url();
    const before = service.output.length;
    const written = (): string => service.output.slice(before);
    await (await fetch(`${url}/products/17?note=private`)).text();
    await (await fetch(`${url}/nope/private`)).text();
    // With the last one in the log, all that there is to say of the others has been said.
    await (await fetch(`${url}/products?page=1`)).text();
    await eventually(() => expect(written()).toContain('"route":"/products",'));
    expect(requestsIn(written())).toEqual([
      expect.objectContaining({ method: 'GET', route: '/products/:id', status: 200, durationMs: expect.any(Number) }),
      expect.objectContaining({ method: 'GET', route: '(no route)', status: 404 }),
      expect.objectContaining({ method: 'GET', route: '/products', status: 200 }),
    ]);
    expect(service.output).not.toContain('private"');
    leave(service);
  });

  it('keeps what was changed when it starts again', async () => {
    const change = { name: 'Kept', category: 'games', brand: 'corvid', priceCents: 1, description: '', stock: 0 };
    const first = await running();
    const answer = await fetch(`${await first.url()}/products/9999`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
    });
    expect(answer.status).toBe(200);
    first.signal('SIGINT');
    expect((await first.ended).code).toBe(0);

    const second = await running();
    expect(await (await fetch(`${await second.url()}/products/9999`)).json()).toMatchObject({ name: 'Kept' });
    leave(second);
  });

  it('counts each view that it has acknowledged exactly once, though it is killed', async () => {
    const products = [1, 2, 3];
    const sent = new Map(products.map((id) => [id, 0]));
    const first = await running();
    const url = await first.url();
    // For longer than a second: some are in the database by then, some in the journal, and some perhaps between the two.
    const until = performance.now() + 1_000 + 1_000 * Math.random();
    while (performance.now() < until) {
      const answers = await Promise.all(products.map((id) => fetch(`${url}/products/${id}/views`, { method: 'POST' })));
      expect(answers.map(({ status }) => status)).toEqual(products.map(() => 202));
      products.forEach((id) => sent.set(id, (sent.get(id) ?? 0) + 1));
    }
    await first.kill();

    const second = await running();
    const again = await second.url();
    const viewsOf = async (id: number): Promise<number> => {
      const answer = await fetch(`${again}/products/${id}/views`);
      return ((await answer.json()) as { readonly views: number }).views;
    };
    // A batch that was in flight is settled once the lease of the dead has run out.
    await eventually(
      async () => expect(await Promise.all(products.map(viewsOf))).toEqual(products.map((id) => sent.get(id))),
      { within: '40s' },
    );
    leave(second);
  });

  it('starts its private Redis again when that dies, and answers all the while', async () => {
    const service = await running();
    const url = await service.url();
    const [, redisUrl = ''] = /(redis:\/\/\S+), private/.exec(service.output) ?? [];
    const pid = await processOf(redisUrl);
    process.kill(pid, 'SIGKILL');

    const statuses: number[] = [];
    await eventually(async () => {
      const answer = await fetch(`${url}/products/1`);
      statuses.push(answer.status);
      expect(answer.headers.get('x-cache')).toBe('hit');
    });
    expect(new Set(statuses)).toEqual(new Set([200]));
    await eventually(async () => expect(await processOf(redisUrl)).not.toBe(pid));
    leave(service);
  });

  it('refuses a data folder that another service uses, and takes over that of one that crashed', async () => {
    const first = await running();
    const second = await start({}).ended;
    expect(second).toMatchObject({ code: 1, output: expect.stringContaining(dataDir) });
    expect(second.output).not.toMatch(/^\s+at /m);

    await first.kill();
    leave(await running());
  });

  it.each(HTTP_ADAPTERS)('says what it runs on, and on SIGTERM loses no request in flight (%s)', async (adapter) => {
    const service = await running(adapter);
    const url = await service.url();
    expect(service.output).toMatch(/API docs {2}http\S+\/docs\n/);
    expect(service.output).toMatch(/Redis {5}(Redis|Valkey) [\d.]+ at redis:\/\/127\.0\.0\.1:\d+, private, data in /);
    expect(service.output).toMatch(/Database {2}Embedded Postgres \(PGlite\) [\d.]+, data in /);
    expect(service.output).toMatch(/Payments {2}a fake provider at http:\/\/127\.0\.0\.1:\d+, which moves no money\n/);

    const clients = Array.from({ length: 10 }, (_, index) => askUntilRefused(`${url}/products/${index + 1}`));
    const requests = Array.from({ length: 200 }, async (_, index) => {
      const answer = await fetch(`${url}/products?page=${index + 1}&pageSize=100`);
      return [answer.status, ((await answer.json()) as { readonly page: number }).page];
    });
    // The first one is answered, so the service is at work on the others.
    await requests[0];
    service.signal('SIGTERM');

    expect(await Promise.all(requests)).toEqual(Array.from({ length: 200 }, (_, index) => [200, index + 1]));
    const answered = (await Promise.all(clients)).flat();
    expect(new Set(answered)).toEqual(new Set([200]));
    const { code, output } = await service.ended;
    expect(code).toBe(0);
    // Each request that reached the service was answered, and its client has the answer. Nobody before had asked it for one.
    const taken = requestsIn(output).filter(({ route }) => route === '/products/:id');
    expect(new Set(taken.map(({ message }) => message))).toEqual(new Set(['request']));
    expect(taken).toHaveLength(answered.length);
  });

  it('charges an order once, though it is killed while it is being paid', async () => {
    const provider = await FakeProvider.start('key-of-the-tests');
    const env = { LOG_LEVEL: 'warn', PAYMENT_URL: provider.url, PAYMENT_API_KEY: 'key-of-the-tests' };
    const post = (url: string, body: unknown): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    // Of what other tests leave nothing has this provider.
    await killAll();
    try {
      const first = start(env);
      const url = await first.url();
      const order = await post(`${url}/orders`, { lines: [{ productId: 1, quantity: 1 }] });
      const { id } = (await order.json()) as { readonly id: string };
      provider.behave({ failure: 'hang', times: 1 });
      const unanswered = post(`${url}/orders/${id}/pay`, { paymentMethod: 'tok_visa' }).catch(() => undefined);
      await eventually(() => expect(provider.requests(id)).toBe(1));
      await first.kill();
      expect(await unanswered).toBeUndefined();

      const second = start(env);
      const again = await second.url();
      // Once the lease of the dead has run out.
      const paid = await eventually(
        async () => {
          const answer = await post(`${again}/orders/${id}/pay`, { paymentMethod: 'tok_visa' });
          const body: unknown = await answer.json();
          expect([answer.status, body]).toEqual([200, expect.anything()]);
          return body;
        },
        { within: '40s' },
      );
      expect(provider.charges).toEqual([expect.objectContaining({ idempotencyKey: id, requests: 2 })]);
      expect(paid).toMatchObject({ status: 'paid', chargeId: provider.charges[0]?.id });
      expect(first.output + second.output).not.toMatch(/key-of-the-tests|tok_visa/);
    } finally {
      await provider.close();
    }
  });
});

describe('what keeps the service from starting', () => {
  beforeAll(() => killAll());

  it('variables that it cannot use: exit code 1, and a message that names each and what it may be', async () => {
    const { code, output } = await start({ HTTP_ADAPTER: 'koa', DATABASE_URL: 'mysql://root:hunter2@db/shop' }).ended;
    expect(code).toBe(1);
    expect(output).toMatch(/HTTP_ADAPTER .*fastify, express/);
    expect(output).toMatch(/DATABASE_URL .*postgres:\/\//);
    expect(output).not.toContain('hunter2');
    expect(output).not.toMatch(/^\s+at /m);
  });

  it('a database that is out of reach', async () => {
    const { code, output } = await start({ DATABASE_URL: 'postgres://shop:hunter2@127.0.0.1:1/shop' }).ended;
    expect([code, output]).toEqual([1, expect.stringContaining('DATABASE_URL')]);
    expect(output).not.toMatch(/hunter2|^\s+at /m);
  });

  it('a Redis server program that does not exist', async () => {
    const { code, output } = await start({ REDIS_SERVER_BIN: '/no/such/redis-server' }).ended;
    expect([code, output]).toEqual([1, expect.stringContaining('/no/such/redis-server')]);
    expect(output).not.toMatch(/^\s+at /m);
  });

  it('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { readonly port: number };
    const { code, output } = await start({ PORT: String(port) }).ended;
    other.close();
    expect([code, output]).toEqual([1, expect.stringContaining(`127.0.0.1:${port}`)]);
    expect(output).not.toMatch(/^\s+at /m);
  });
});
