import { expect, it } from '@jest/globals';
import { describeAdapters, type Answer, type Shop } from './support/shop.js';

const PASSWORD = 'correct horse battery staple';

/** Tries are limited: each test has a client. */
let last = 0;
const newClient = (): string => `192.0.2.${++last}`;

async function post(shop: Shop, path: string, body: unknown, client = newClient()): Promise<Answer> {
  return shop.send(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': client },
    body: JSON.stringify(body),
  });
}

describeAdapters(
  (shop) => {
    it('lets in who has registered, whatever the case of the address, and nobody with another password', async () => {
      const registered = await post(shop(), '/auth/register', {
        email: 'Ada@Example.com',
        name: 'Ada',
        password: PASSWORD,
      });
      expect([registered.status, registered.body]).toEqual([
        201,
        { id: expect.any(Number), email: 'ada@example.com', name: 'Ada' },
      ]);
      const right = await post(shop(), '/auth/login', { email: 'ada@example.COM', password: PASSWORD });
      expect([right.status, right.body, right.headers.get('cache-control')]).toEqual([
        200,
        registered.body,
        'no-store',
      ]);
      const wrong = await post(shop(), '/auth/login', { email: 'ada@example.com', password: `${PASSWORD}.` });
      const unknown = await post(shop(), '/auth/login', { email: 'eve@example.com', password: PASSWORD });
      const empty = await post(shop(), '/auth/login', { email: 'eve@example.com', password: ' ' });
      expect([wrong.status, unknown.status, empty.status]).toEqual([401, 401, 401]);
      expect(wrong.body).toEqual(unknown.body);
    });

    it('registers an address once', async () => {
      const registration = { email: 'grace@example.com', name: 'Grace', password: PASSWORD };
      const answers = await Promise.all([1, 2, 3].map(() => post(shop(), '/auth/register', registration)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
    });

    it.each([
      ['/auth/register', { password: 'short' }, ['password']],
      ['/auth/register', { email: 'nobody' }, ['email']],
      ['/auth/register', { name: '' }, ['name']],
      ['/auth/register', { admin: true }, ['admin']],
      ['/auth/login', { password: ['a'] }, ['password', 'name']],
      ['/auth/login', { email: { $ne: '' } }, ['email', 'name']],
    ])('refuses at %s a body with %j', async (path, part, fields) => {
      const { status, body } = await post(shop(), path, {
        email: 'a@example.com',
        name: 'A',
        password: PASSWORD,
        ...part,
      });
      const { errors = [] } = body as { errors?: readonly { field: string }[] };
      expect([status, errors.map(({ field }) => field).toSorted()]).toEqual([400, fields.toSorted()]);
      expect(JSON.stringify(body)).not.toContain(PASSWORD);
    });
  },
  { trustedProxies: ['loopback'] },
);
