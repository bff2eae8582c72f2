import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConfigService } from '@nestjs/config';
import type { Settings } from '../../config/settings.js';
import { FakeProvider } from '../fake-provider/fake-provider.js';
import { PaymentProvider } from './payment-provider.js';
import type { PaymentSettings } from './payment-settings.js';
import { ProviderTimeoutError, ProviderUnavailableError } from './provider.errors.js';

const API_KEY = 'key-of-the-tests';
const METHOD = 'tok_of_somebody';
const never = new AbortController().signal;

let fake: FakeProvider;
let server: Server | undefined;

beforeAll(async () => {
  fake = await FakeProvider.start(API_KEY);
});
afterAll(() => fake.close());
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

function providerAt(url: string, settings: Partial<PaymentSettings> = {}): PaymentProvider {
  const payments: PaymentSettings = { url, apiKey: API_KEY, timeoutMs: 5_000, ...settings };
  return new PaymentProvider({ get: () => payments } as unknown as ConfigService<Settings, true>);
}

async function providerThat(answers: RequestListener): Promise<PaymentProvider> {
  const listening = createServer(answers).listen(0, '127.0.0.1');
  server = listening;
  await new Promise((resolve) => listening.once('listening', resolve));
  return providerAt(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`);
}

const request = (idempotencyKey: string) => ({
  idempotencyKey,
  amountCents: 250,
  currency: 'EUR',
  paymentMethod: METHOD,
});

/** What it fails with, which tells nobody's secrets. */
async function failureOf(charge: Promise<unknown>): Promise<unknown> {
  const error = await charge.then(
    (outcome) => new Error(`It has not failed: ${JSON.stringify(outcome)}`),
    (reason: unknown) => reason,
  );
  const told = [error, (error as Error).cause].map((part) => `${String(part)} ${JSON.stringify(part)}`).join();
  expect(told).not.toMatch(new RegExp(`${API_KEY}|${METHOD}`));
  return error;
}

describe('PaymentProvider', () => {
  it('is answered with the same charge for the same key, and needs its API key', async () => {
    const provider = providerAt(`${fake.url}/`);
    const first = await provider.charge(request('same'), never);
    expect(first).toEqual({ charged: true, chargeId: expect.stringMatching(/^ch_/) });
    expect(await provider.charge(request('same'), never)).toEqual(first);
    const keyless = providerAt(fake.url, { apiKey: undefined });
    expect(await failureOf(keyless.charge(request('same'), never))).toBeInstanceOf(ProviderUnavailableError);
  });

  it('tells a declined payment from a failure', async () => {
    fake.behave({ failure: 'decline', times: 1 });
    expect(await providerAt(fake.url).charge(request('declined'), never)).toEqual({ charged: false });
  });

  it.each(['error', 'drop'] as const)('fails when the provider does: %s', async (failure) => {
    fake.behave({ failure, times: 1 });
    const error = await failureOf(providerAt(fake.url).charge(request(failure), never));
    expect(error).toBeInstanceOf(ProviderUnavailableError);
    expect((error as Error).cause).not.toBeInstanceOf(ProviderUnavailableError);
  });

  it('fails when nobody listens, and says how', async () => {
    const error = await failureOf(providerAt('http://127.0.0.1:1').charge(request('a'), never));
    expect(error).toBeInstanceOf(ProviderUnavailableError);
    expect(String(error)).toMatch(/has hung up/);
  });

  it('waits for an answer as long as it is told to, and no longer', async () => {
    fake.behave({ failure: 'hang', times: 1 });
    const error = await failureOf(providerAt(fake.url, { timeoutMs: 100 }).charge(request('hang'), never));
    expect(error).toEqual(new ProviderTimeoutError(100));
  });

  it('ends at once, and with the reason of the signal, when that aborts', async () => {
    fake.behave({ failure: 'hang', times: 1 });
    const controller = new AbortController();
    const reason = new Error('no more');
    const charge = providerAt(fake.url, { timeoutMs: 600_000 }).charge(request('aborted'), controller.signal);
    setTimeout(() => controller.abort(reason), 50);
    expect(await failureOf(charge)).toBe(reason);
  });

  it.each([
    ['no JSON', 200, METHOD],
    ['null', 200, 'null'],
    ['no id', 201, '{}'],
    ['an id that is none', 200, '{"id":"<b>"}'],
    ['another status', 204, ''],
    ['a wrong method', 422, `{"error":"${METHOD}"}`],
  ])('fails when the answer is %s', async (_what, status, body) => {
    const provider = await providerThat((_request, response) => response.writeHead(status).end(body));
    expect(await failureOf(provider.charge(request('odd'), never))).toBeInstanceOf(ProviderUnavailableError);
  });

  it('does not follow to another address', async () => {
    const provider = await providerThat((_request, response) =>
      response.writeHead(307, { location: `${fake.url}/charges` }).end(),
    );
    expect(await failureOf(provider.charge(request('led-away'), never))).toBeInstanceOf(ProviderUnavailableError);
    expect(fake.requests('led-away')).toBe(0);
  });
});
