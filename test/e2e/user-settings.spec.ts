import { expect, it } from '@jest/globals';
import { describeAdapters } from './support/shop.js';

const chosen = { language: 'de', currency: 'CHF', newsletter: true };

describeAdapters((shop) => {
  it('gives the defaults to a user who has saved nothing, from the cache the second time', async () => {
    const first = await shop().get('/users/1/settings');
    const second = await shop().get('/users/1/settings');
    expect([first.status, first.headers.get('x-cache')]).toEqual([200, 'miss']);
    expect([second.status, second.headers.get('x-cache')]).toEqual([200, 'hit']);
    expect(first.body).toEqual({ language: 'en', currency: 'EUR', newsletter: false, updatedAt: null });
    expect(second.body).toEqual(first.body);
  });

  it('writes through: the first read after a save is a hit, and the database has it', async () => {
    await shop().get('/users/2/settings');
    const saved = await shop().put('/users/2/settings', chosen);
    expect([saved.status, saved.body]).toEqual([
      200,
      { ...chosen, updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) },
    ]);
    const read = await shop().get('/users/2/settings');
    expect([read.headers.get('x-cache'), read.body]).toEqual(['hit', saved.body]);
    const row = await shop()
      .database.db.selectFrom('user_settings')
      .select(['language', 'currency', 'newsletter'])
      .where('user_id', '=', 2)
      .executeTakeFirst();
    expect(row).toEqual(chosen);

    const again = await shop().put('/users/2/settings', { ...chosen, newsletter: false });
    expect((await shop().get('/users/2/settings')).body).toEqual(again.body);
  });

  it('keeps users apart', async () => {
    await shop().put('/users/3/settings', chosen);
    expect((await shop().get('/users/33/settings')).body).toMatchObject({ updatedAt: null });
  });

  it('shows nothing that could not be saved', async () => {
    const { db } = shop().database;
    const { body } = await shop().put('/users/4/settings', chosen);
    await db.schema.alterTable('user_settings').renameTo('hidden').execute();
    try {
      expect((await shop().put('/users/4/settings', { ...chosen, language: 'fr' })).status).toBe(500);
      expect((await shop().get('/users/4/settings')).body).toEqual(body);
    } finally {
      await db.schema.alterTable('hidden').renameTo('user_settings').execute();
    }
  });

  it('lets nobody on the way keep them', async () => {
    const answers = [await shop().get('/users/5/settings'), await shop().put('/users/5/settings', chosen)];
    expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(['no-store', 'no-store']);
  });
});
