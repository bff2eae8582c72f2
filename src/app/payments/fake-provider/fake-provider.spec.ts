import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeProvider } from './fake-provider.js';

let provider: FakeProvider;
beforeAll(async () => {
  provider = await FakeProvider.start();
});
afterAll(() => provider.close());

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const json = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(provider.url + path, { method, headers, ...json });
  return { status: response.status, body: await response.json() };
}

const CHARGE = { amountCents: 250, currency: 'EUR', paymentMethod: 'tok_visa' };
const charge = (key: string, order: object = CHARGE) => send('POST', '/charges', order, { 'idempotency-key': key });

describe('FakeProvider', () => {
  it('charges once for each key, and lists what it has charged', async () => {
    const [first, again] = [await charge('once'), await charge('once', { ...CHARGE, paymentMethod: 'tok_other' })];
    expect([first.status, again]).toEqual([201, first]);
    expect(await charge('once', { ...CHARGE, amountCents: 251 })).toMatchObject({ status: 422 });
    const { body } = await send('GET', '/charges');
    expect(body).toEqual([
      { id: expect.any(String), idempotencyKey: 'once', amountCents: 250, currency: 'EUR', requests: 3 },
    ]);
  });

  it('declines one method always, and takes another with the same key', async () => {
    expect(await charge('declined', { ...CHARGE, paymentMethod: 'tok_declined' })).toMatchObject({ status: 402 });
    expect(await charge('declined')).toMatchObject({ status: 201 });
  });

  it('behaves as it is told to, as often as it is told to', async () => {
    expect(await send('PUT', '/behaviour', { failure: 'error', times: 2 })).toMatchObject({ status: 200 });
    const statuses = [];
    for (let time = 0; time < 3; time += 1) statuses.push((await charge('told')).status);
    expect(statuses).toEqual([500, 500, 201]);

    provider.behave({ delayMs: 100, times: 1 });
    const start = performance.now();
    await charge('late');
    expect(performance.now() - start).toBeGreaterThan(90);
  });

  it('has charged when it drops the connection', async () => {
    provider.behave({ failure: 'drop', times: 1 });
    await expect(charge('dropped')).rejects.toThrow('fetch failed');
    expect(await charge('dropped')).toMatchObject({ status: 201, body: { idempotencyKey: 'dropped' } });
    expect(provider.charges.filter(({ idempotencyKey }) => idempotencyKey === 'dropped')).toHaveLength(1);
  });

  it.each([
    ['PUT', '/behaviour', { failure: 'explode' }],
    ['PUT', '/behaviour', { delayMs: -1 }],
    ['PUT', '/behaviour', { times: 1.5 }],
    ['PUT', '/behaviour', 'not json'],
    ['PUT', '/behaviour', null],
    ['POST', '/charges', CHARGE],
  ])('refuses %s %s %j', async (method, path, body) => {
    expect(await send(method, path, body)).toMatchObject({ status: 400 });
  });

  it('has no other routes', async () => {
    expect(await send('GET', '/')).toMatchObject({ status: 404 });
  });
});
