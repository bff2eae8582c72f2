import { expect, it } from '@jest/globals';
import { parseItem, parseList } from 'structured-headers';
import { type Answer, describeAdaptersOnOneDatabase, type Shop } from './support/shop.js';

const TOKEN = 'a-token-of-the-tests';
const ADMIN = { headers: { authorization: `Bearer ${TOKEN}` } };
const SUSTAINED = 40;

let last = 0;
/** A client that no other test has: tests come through a proxy that is trusted. */
const newClient = (): string => `203.0.113.${++last}`;
const from = (client: string, init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { ...init.headers, 'x-forwarded-for': client },
});

/** A field of structured items: names, and their parameters. */
function fieldOf({ headers }: Answer, name: string): Record<string, Record<string, unknown>> {
  const items = parseList(headers.get(name) ?? '');
  return Object.fromEntries(items.map(([item, parameters]) => [String(item), Object.fromEntries(parameters)]));
}

/** Asks as one client until it is refused. */
async function untilRefused(ask: () => Promise<Answer>): Promise<{ admitted: number; refused: Answer }> {
  for (let admitted = 0; admitted <= 100; admitted++) {
    const answer = await ask();
    if (answer.status === 429) return { admitted, refused: answer };
  }
  throw new Error('101 requests were admitted.');
}

function expectRefusal(refused: Answer, policy: string, instance: string): void {
  const retryAfter = refused.headers.get('retry-after') ?? '';
  const [seconds] = parseItem(retryAfter);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(retryAfter).toMatch(/^\d+$/);
  expect(fieldOf(refused, 'ratelimit')[policy]).toMatchObject({ r: expect.any(Number), t: seconds });
  expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(refused.body).toEqual({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    status: 429,
    detail: `Try again in ${String(seconds)} s`,
    instance,
    'violated-policies': [policy],
  });
}

const login = (shop: Shop, client: string): Promise<Answer> =>
  shop.send(
    '/auth/login',
    from(client, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      // Tries at one account are limited, too: each client tries another.
      body: JSON.stringify({ email: `nobody-${client}@example.com`, password: 'wrong' }),
    }),
  );

describeAdaptersOnOneDatabase(
  (shop) => {
    it('says on every answer what is limited and what is left', async () => {
      const client = newClient();
      const first = await shop().send('/products/1', from(client));
      expect(fieldOf(first, 'ratelimit-policy')).toEqual({
        burst: { q: 20, w: 1 },
        sustained: { q: SUSTAINED, w: 3_600 },
      });
      const second = await shop().send('/products/2', from(client));
      expect(fieldOf(second, 'ratelimit')['sustained']).toMatchObject({ r: SUSTAINED - 2 });
      expect(first.headers.has('retry-after')).toBe(false);
    });

    it('refuses a client that asks for too much, with problem details, and no other', async () => {
      const client = newClient();
      const { admitted, refused } = await untilRefused(() =>
        shop().send('/products/search?q=bedspread&pageSize=1', from(client)),
      );
      // Of the second policy, unless the machine is so fast that the burst is used up within a second.
      const [policy = ''] = (refused.body as { 'violated-policies': string[] })['violated-policies'];
      expect(admitted).toBeLessThanOrEqual(SUSTAINED / 5);
      expect(['burst', 'sustained']).toContain(policy);
      expectRefusal(refused, policy, '/products/search');
      expect((await shop().send('/products/1', from(newClient()))).status).toBe(200);
    });

    it('counts a search as five requests', async () => {
      const client = newClient();
      const search = await shop().send('/products/search?q=bedspread', from(client));
      expect([search.status, fieldOf(search, 'ratelimit')['sustained']]).toEqual([
        200,
        expect.objectContaining({ r: SUSTAINED - 5 }),
      ]);
    });

    it('admits ten tries to log in, and refuses more, while the rest of the shop stays open', async () => {
      const client = newClient();
      const { admitted, refused } = await untilRefused(() => login(shop(), client));
      expect(admitted).toBe(10);
      expectRefusal(refused, 'login', '/auth/login');
      expect((await shop().send('/products/1', from(client))).status).toBe(200);
    });

    it('limits the checkout by itself', async () => {
      const client = newClient();
      const order = from(client, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
      const { admitted, refused } = await untilRefused(() => shop().send('/orders', order));
      expect(admitted).toBe(10);
      expectRefusal(refused, 'checkout', '/orders');
    });

    it('never refuses a probe', async () => {
      const client = newClient();
      const answers = await Promise.all(
        Array.from({ length: SUSTAINED + 5 }, () => shop().send('/health/live', from(client))),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    });

    it('shows an operator where a client stands without counting, and forgives one, in every process', async () => {
      const client = newClient();
      await untilRefused(() => login(shop(), client));
      await shop().withAnother(async (other) => {
        // It remembers the refusal from here on.
        expect((await login(other, client)).status).toBe(429);
        for (let look = 0; look < 2; look++) {
          const { status, body } = await shop().send(`/admin/rate-limits/${client}`, ADMIN);
          expect(status).toBe(200);
          expect(body).toMatchObject({
            blocked: false,
            policies: [
              { name: 'burst', limit: 20 },
              { name: 'sustained', limit: SUSTAINED, remaining: SUSTAINED - 10 },
              { name: 'login', limit: 10, remaining: 0, resetMs: expect.any(Number) },
              { name: 'checkout', limit: 10, remaining: 10, resetMs: 0 },
            ],
          });
        }
        const forgiven = await shop().send(`/admin/rate-limits/${client}`, { ...ADMIN, method: 'DELETE' });
        expect([forgiven.status, forgiven.body]).toEqual([204, '']);
        expect((await login(other, client)).status).toBe(401);
        expect((await login(shop(), client)).status).toBe(401);
      });
    });

    it('knows a client of IPv6 by its network', async () => {
      const [one, another] = ['2001:db8:1:2::3', '2001:db8:1:2:ffff::4'];
      await shop().send('/products/1', from(one));
      const { body } = await shop().send(`/admin/rate-limits/${another}`, ADMIN);
      expect(body).toMatchObject({ policies: [{}, { remaining: SUSTAINED - 1 }, {}, {}] });
    });

    it.each([
      [undefined, 401],
      ['Bearer another-token-of-tests', 401],
      [`Basic ${TOKEN}`, 401],
    ])('keeps the admin routes from who sends %s', async (authorization, status) => {
      const headers = authorization === undefined ? {} : { authorization };
      for (const method of ['GET', 'DELETE']) {
        const answer = await shop().send(`/admin/rate-limits/${newClient()}`, { method, headers });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([status, 'Bearer']);
        expect(JSON.stringify(answer.body)).not.toContain(TOKEN);
      }
    });

    it('refuses what is no address', async () => {
      const { status, body } = await shop().send('/admin/rate-limits/localhost', ADMIN);
      expect([status, body]).toEqual([
        400,
        expect.objectContaining({ errors: [expect.objectContaining({ field: 'client' })] }),
      ]);
    });
  },
  { clientLimits: { burst: 20, sustained: SUSTAINED }, trustedProxies: ['loopback'], adminToken: TOKEN },
);
