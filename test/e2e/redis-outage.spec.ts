import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { eventually } from 'rookery/testing';
import { Customer } from './support/customer.js';
import { type Answer, describeAdapters, type Shop } from './support/shop.js';

const CLIENTS = 20;

/** Clients that read products, one after the other, until told to stop. */
class Load {
  readonly answers: Answer[] = [];
  readonly #clients: Promise<void>[];
  #stopped = false;

  constructor(private readonly shop: Shop) {
    this.#clients = Array.from({ length: CLIENTS }, (_, index) => this.#read(index + 1));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #read(id: number): Promise<void> {
    while (!this.#stopped) {
      this.answers.push(await this.shop.get(`/products/${id}`));
      await delay(5);
    }
  }
}

async function untilHit(shop: Shop, within: '2s' | '5s'): Promise<void> {
  await eventually(async () => expect((await shop.get('/products/1')).headers.get('x-cache')).toBe('hit'), { within });
}

describeAdapters((shop) => {
  it('answers every request while Redis is killed under load, and caches again within 2 s of its return', async () => {
    const [redis] = shop().redis.nodes;
    await untilHit(shop(), '5s');
    const load = new Load(shop());
    try {
      await delay(300);
      await redis?.kill();
      const before = load.answers.length;
      await delay(1_000);
      const during = load.answers.slice(before);
      expect(during.length).toBeGreaterThan(CLIENTS);
      await redis?.start();
      await untilHit(shop(), '2s');
    } finally {
      await load.stop();
    }
    expect(load.answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('never shows a product as it was before a change that was made while Redis was away', async () => {
    const [redis] = shop().redis.nodes;
    const { body } = await shop().get('/products/30');
    await eventually(async () => expect((await shop().get('/products/30')).headers.get('x-cache')).toBe('hit'));
    const { name, category, brand, description, stock } = body as Record<string, unknown>;
    await redis?.pause();
    const changed = await shop().put('/products/30', { name, category, brand, description, stock, priceCents: 7 });
    expect(changed.status).toBe(200);
    await redis?.resume();
    await shop().untilReadyIs('ok');

    await eventually(async () => expect((await shop().get('/products/30')).body).toMatchObject({ priceCents: 7 }), {
      within: '2s',
    });
  });

  it('never shows a list as it was before a change that was made while Redis was away', async () => {
    const [redis] = shop().redis.nodes;
    const list = '/products?pageSize=100';
    await eventually(async () => expect((await shop().get(list)).headers.get('x-cache')).toBe('hit'));
    const { body } = await shop().get('/products/31');
    const { name, category, brand, description, stock } = body as Record<string, unknown>;
    await redis?.pause();
    const changed = await shop().put('/products/31', { name, category, brand, description, stock, priceCents: 8 });
    const showsIt = { items: expect.arrayContaining([changed.body]) };
    expect((await shop().get(list)).body).toMatchObject(showsIt);
    await redis?.resume();
    for (let read = 0; read < 20; read += 1) {
      expect((await shop().get(list)).body).toMatchObject(showsIt);
    }
    await shop().untilReadyIs('ok');
    await eventually(async () => expect((await shop().get(list)).headers.get('x-cache')).toBe('hit'));
    expect((await shop().get(list)).body).toMatchObject(showsIt);
  });

  it('serves lists without Redis, asks who is logged in to try again, and counts no view that it could lose', async () => {
    const [redis] = shop().redis.nodes;
    const settings = { language: 'de', currency: 'CHF', newsletter: true };
    const customer = await Customer.of(shop());
    await customer.put('/account/settings', settings);
    await redis?.kill();
    await shop().untilReadyIs('degraded');

    expect(await shop().get('/products?category=kitchen')).toMatchObject({ status: 200, body: { page: 1 } });
    const answers = [
      await shop().post('/products/1/views'),
      await shop().get('/products/1/views'),
      await customer.get('/account/settings'),
      await customer.put('/account/settings', { ...settings, language: 'fr' }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 503, body: { title: 'Service Unavailable', status: 503 } });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }

    await redis?.start();
    await shop().untilReadyIs('ok');
    await eventually(async () => expect((await shop().post('/products/1/views')).status).toBe(202));
    // This Redis keeps nothing over a crash, sessions neither.
    await customer.logIn();
    expect(await customer.get('/account/settings')).toMatchObject({ status: 200, body: settings });
  });
});
