import { describe, expect, it } from '@jest/globals';
import { eventually } from 'rookery/testing';
import { Customer, PASSWORD } from './support/customer.js';
import { describeAdapters } from './support/shop.js';

const TOKEN = 'token-of-the-tests';
const asAdmin = { authorization: `Bearer ${TOKEN}` };
const NEW_PASSWORD = 'incorrect donkey charger clip';

interface Device {
  readonly id: string;
  readonly agent: string | null;
  readonly ip: string | null;
  readonly isThis: boolean;
}

const devices = async (customer: Customer): Promise<Device[]> =>
  (await customer.get('/auth/sessions')).body as Device[];

describeAdapters(
  (shop) => {
    const loggedInAt = async (...customers: Customer[]): Promise<number[]> =>
      Promise.all(customers.map(async (customer) => (await customer.get('/auth/session')).status));

    describe('a login', () => {
      it('is remembered, by a cookie that no script can read', async () => {
        const customer = await Customer.of(shop());
        const again = await customer.logIn();
        expect(again.cookies).toEqual([
          expect.stringMatching(/^__Host-sid=[\w-]+\.[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
        ]);
        const { status, body, headers } = await customer.get('/auth/session');
        expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
        expect(body).toEqual({
          userId: customer.userId,
          name: 'Ada',
          loggedInAt: expect.stringMatching(/Z$/),
          endsAt: expect.stringMatching(/Z$/),
        });
        const { loggedInAt: from, endsAt: to } = body as { loggedInAt: string; endsAt: string };
        expect(Date.parse(to) - Date.parse(from)).toBe(12 * 3_600_000);
      });

      it('that fails is none, and gives no cookie', async () => {
        const customer = (await Customer.of(shop())).elsewhere(shop());
        const { status, cookies } = await customer.logIn('a wrong password');
        expect([status, cookies]).toEqual([401, []]);
        expect(await loggedInAt(customer)).toEqual([401]);
      });

      it('is lost by whoever tries an account too often, from however many machines', async () => {
        const customer = await Customer.of(shop());
        const statuses: number[] = [];
        for (let i = 0; i < 21; i++) statuses.push((await customer.elsewhere(shop()).logIn('guess')).status);
        expect(statuses.slice(0, 19)).toEqual(Array.from({ length: 19 }, () => 401));
        expect(statuses.at(-1)).toBe(429);
        expect((await customer.elsewhere(shop()).logIn()).status).toBe(429);
        expect(await loggedInAt(customer)).toEqual([200]);
      }, 30_000);

      it('gives an id that nobody knew before', async () => {
        const customer = await Customer.of(shop());
        const first = customer.browser.header();
        const thief = customer.browser.twin();
        await customer.logIn();
        expect(customer.browser.header()).not.toBe(first);
        await customer.send('POST', '/auth/logout');
        expect((await thief.get('/auth/session')).status).toBe(401);
      });

      it('from a page of another site is refused, and so is everything else that changes something', async () => {
        const customer = await Customer.of(shop());
        const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
        const requests: [string, string, unknown][] = [
          ['POST', '/auth/login', { email: customer.email, password: PASSWORD }],
          ['POST', '/auth/logout', undefined],
          ['PUT', '/account/settings', { language: 'de', currency: 'CHF', newsletter: true }],
          ['DELETE', '/auth/sessions', undefined],
        ];
        for (const [method, path, body] of requests) {
          const answer = await customer.send(method, path, body, foreign);
          expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
            path,
            403,
            expect.stringContaining('application/problem+json'),
          ]);
          expect(answer.body).toMatchObject({ status: 403, code: 'cross-site-request', instance: path });
        }
        expect(await loggedInAt(customer)).toEqual([200]);
      });
    });

    it('a logout ends it for every copy of the cookie, and never fails', async () => {
      const customer = await Customer.of(shop());
      const thief = customer.browser.twin();
      expect((await customer.send('POST', '/auth/logout')).status).toBe(204);
      expect((await customer.send('POST', '/auth/logout')).status).toBe(204);
      expect((await thief.get('/auth/session')).status).toBe(401);
      expect((await thief.get('/auth/session')).body).toEqual({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'Log in first',
        instance: '/auth/session',
        code: 'login-required',
      });
    });

    describe('the devices of a user', () => {
      it('are shown with what they are, and one can be logged out from another', async () => {
        const here = await Customer.of(shop());
        const there = here.elsewhere(shop());
        await there.send(
          'POST',
          '/auth/login',
          { email: there.email, password: PASSWORD },
          {
            'user-agent':
              'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15',
          },
        );
        const all = await devices(here);
        expect(all).toHaveLength(2);
        const other = all.find(({ isThis }) => !isThis);
        expect(other).toMatchObject({ agent: 'Safari 17 on macOS', ip: expect.stringMatching(/^198\.51\./) });
        expect((await here.send('DELETE', `/auth/sessions/${other?.id}`)).status).toBe(204);
        expect((await here.send('DELETE', `/auth/sessions/${other?.id}`)).status).toBe(404);
        expect(await loggedInAt(here, there)).toEqual([200, 401]);
      });

      it('are nobody else’s to see or to end', async () => {
        const [one, other] = [await Customer.of(shop()), await Customer.of(shop())];
        const [{ id }] = (await devices(one)) as [Device];
        expect((await other.send('DELETE', `/auth/sessions/${id}`)).status).toBe(404);
        expect((await other.send('DELETE', '/auth/sessions/*')).status).toBe(400);
        expect((await Customer.stranger(shop()).get('/auth/sessions')).status).toBe(401);
        expect(await loggedInAt(one)).toEqual([200]);
        expect(JSON.stringify(await devices(one))).not.toContain(one.browser.header().slice(13, 40));
      });

      it('are logged out together, with this one or without', async () => {
        const here = await Customer.of(shop());
        const others = [here.elsewhere(shop()), here.elsewhere(shop())];
        for (const other of others) await other.logIn();
        expect((await here.send('DELETE', '/auth/sessions?except=this')).body).toEqual({ ended: 2 });
        expect(await loggedInAt(here, ...others)).toEqual([200, 401, 401]);
        for (const other of others) await other.logIn();
        expect((await here.send('DELETE', '/auth/sessions')).body).toEqual({ ended: 3 });
        expect(await loggedInAt(here, ...others)).toEqual([401, 401, 401]);
        expect((await here.send('DELETE', '/auth/sessions?except=me')).status).toBe(401);
      });

      it('are ten at most: the eleventh login ends the oldest', async () => {
        const customer = await Customer.of(shop());
        const others = Array.from({ length: 10 }, () => customer.elsewhere(shop()));
        for (const other of others) expect((await other.logIn()).status).toBe(200);
        expect(await loggedInAt(customer, ...others)).toEqual([401, ...others.map(() => 200)]);
      }, 30_000);

      it('are logged out by an administrator, of one user or of all', async () => {
        const [one, other] = [await Customer.of(shop()), await Customer.of(shop())];
        expect((await one.send('DELETE', `/admin/users/${one.userId}/sessions`)).status).toBe(401);
        const answer = await one.send('DELETE', `/admin/users/${one.userId}/sessions`, undefined, asAdmin);
        expect([answer.status, answer.body]).toEqual([200, { ended: 1 }]);
        expect(await loggedInAt(one, other)).toEqual([401, 200]);
        expect((await one.send('DELETE', '/admin/sessions', undefined, asAdmin)).status).toBe(200);
        expect(await loggedInAt(one, other)).toEqual([401, 401]);
      });
    });

    describe('an account', () => {
      it('has a new password, and all other sessions end with the old one', async () => {
        const here = await Customer.of(shop());
        const there = here.elsewhere(shop());
        await there.logIn();
        const before = here.browser.header();
        expect((await here.put('/account/password', { password: 'wrong', newPassword: NEW_PASSWORD })).status).toBe(
          403,
        );
        expect(await loggedInAt(there)).toEqual([200]);
        expect((await here.put('/account/password', { password: PASSWORD, newPassword: NEW_PASSWORD })).status).toBe(
          204,
        );
        expect(here.browser.header()).not.toBe(before);
        expect(await loggedInAt(here, there)).toEqual([200, 401]);
        expect((await there.logIn()).status).toBe(401);
        expect((await there.logIn(NEW_PASSWORD)).status).toBe(200);
      });

      it('lets in nobody who logs in with the old password while it is changed', async () => {
        const here = await Customer.of(shop());
        const others = Array.from({ length: 8 }, () => here.elsewhere(shop()));
        const change = here.put('/account/password', { password: PASSWORD, newPassword: NEW_PASSWORD });
        const tried = await Promise.all(others.map((other) => other.logIn()));
        expect((await change).status).toBe(204);
        expect(tried.every(({ status }) => status === 200 || status === 401)).toBe(true);
        expect(await loggedInAt(...others)).toEqual(others.map(() => 401));
      });

      it('can be told the new password again by who has not heard that it was changed', async () => {
        const here = await Customer.of(shop());
        const there = here.elsewhere(shop());
        const change = { password: PASSWORD, newPassword: NEW_PASSWORD };
        expect((await here.put('/account/password', change)).status).toBe(204);
        await there.logIn(NEW_PASSWORD);
        expect((await here.put('/account/password', change)).status).toBe(204);
        expect(await loggedInAt(here, there)).toEqual([200, 401]);
      });

      it('that is closed is logged out everywhere, and cannot be logged in to', async () => {
        const here = await Customer.of(shop());
        const there = here.elsewhere(shop());
        await there.logIn();
        expect((await here.send('DELETE', '/account')).status).toBe(204);
        expect(await loggedInAt(here, there)).toEqual([401, 401]);
        expect((await there.logIn()).status).toBe(401);
      });
    });

    it('an outage of Redis is told as 503, and logs nobody out', async () => {
      const customer = await Customer.of(shop());
      const [redis] = shop().redis.nodes;
      await redis?.pause();
      const answer = await customer.get('/auth/session');
      expect([answer.status, answer.headers.get('content-type'), answer.cookies]).toEqual([
        503,
        expect.stringContaining('application/problem+json'),
        [],
      ]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await customer.get('/products/1')).status).toBe(200);
      await redis?.resume();
      await eventually(async () => expect(await loggedInAt(customer)).toEqual([200]));
    });
  },
  { trustedProxies: ['loopback'], adminToken: TOKEN },
);
