import { expect, it } from '@jest/globals';
import { Customer } from './support/customer.js';
import { describeAdapters } from './support/shop.js';

const chosen = { language: 'de', currency: 'CHF', newsletter: true };

describeAdapters(
  (shop) => {
    it('gives the defaults to a user who has saved nothing, from the cache the second time', async () => {
      const customer = await Customer.of(shop());
      const first = await customer.get('/account/settings');
      const second = await customer.get('/account/settings');
      expect([first.status, first.headers.get('x-cache')]).toEqual([200, 'miss']);
      expect([second.status, second.headers.get('x-cache')]).toEqual([200, 'hit']);
      expect(first.body).toEqual({ language: 'en', currency: 'EUR', newsletter: false, updatedAt: null });
      expect(second.body).toEqual(first.body);
    });

    it('writes through: the first read after a save is a hit, and the database has it', async () => {
      const customer = await Customer.of(shop());
      await customer.get('/account/settings');
      const saved = await customer.put('/account/settings', chosen);
      expect([saved.status, saved.body]).toEqual([
        200,
        { ...chosen, updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) },
      ]);
      const read = await customer.get('/account/settings');
      expect([read.headers.get('x-cache'), read.body]).toEqual(['hit', saved.body]);
      const row = await shop()
        .database.db.selectFrom('user_settings')
        .select(['language', 'currency', 'newsletter'])
        .where('user_id', '=', customer.userId)
        .executeTakeFirst();
      expect(row).toEqual(chosen);

      const again = await customer.put('/account/settings', { ...chosen, newsletter: false });
      expect((await customer.get('/account/settings')).body).toEqual(again.body);
    });

    it('keeps users apart, and strangers out', async () => {
      const [one, other] = [await Customer.of(shop()), await Customer.of(shop())];
      await one.put('/account/settings', chosen);
      expect((await other.get('/account/settings')).body).toMatchObject({ updatedAt: null });
      const stranger = Customer.stranger(shop());
      expect((await stranger.get('/account/settings')).status).toBe(401);
      expect((await stranger.put('/account/settings', chosen)).status).toBe(401);
    });

    it('shows nothing that could not be saved', async () => {
      const { db } = shop().database;
      const customer = await Customer.of(shop());
      const { body } = await customer.put('/account/settings', chosen);
      await db.schema.alterTable('user_settings').renameTo('hidden').execute();
      try {
        expect((await customer.put('/account/settings', { ...chosen, language: 'fr' })).status).toBe(500);
        expect((await customer.get('/account/settings')).body).toEqual(body);
      } finally {
        await db.schema.alterTable('hidden').renameTo('user_settings').execute();
      }
    });

    it('lets nobody on the way keep them', async () => {
      const customer = await Customer.of(shop());
      const answers = [await customer.get('/account/settings'), await customer.put('/account/settings', chosen)];
      expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(['no-store', 'no-store']);
    });

    it.each([
      [{ language: 'EN' }, ['language']],
      [{ language: ['en'] }, ['language']],
      [{ currency: 'XXX' }, ['currency']],
      [{ newsletter: 'true' }, ['newsletter']],
      [{ newsletter: null, currency: undefined }, ['currency', 'newsletter']],
      [{ updatedAt: null }, ['updatedAt']],
      [{ userId: 8 }, ['userId']],
    ])('refuses %j', async (part, fields) => {
      const customer = await Customer.of(shop());
      const { status, body } = await customer.put('/account/settings', { ...chosen, ...part });
      const { errors } = body as { readonly errors: readonly { readonly field: string }[] };
      expect([status, errors.map(({ field }) => field).toSorted()]).toEqual([400, fields]);
      expect((await customer.get('/account/settings')).body).toMatchObject({ updatedAt: null });
    });
  },
  { trustedProxies: ['loopback'] },
);
