import { expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { eventually } from 'rookery/testing';
import { ProductViewsRepository } from '../../src/app/product-views/product-views.repository.js';
import { describeAdapters, type Shop } from './support/shop.js';

/** What the database has, without what is on its way there. */
async function storedViews({ database }: Shop, productId: number): Promise<number> {
  const row = await database.db
    .selectFrom('product_views')
    .select('views')
    .where('product_id', '=', productId)
    .executeTakeFirst();
  return Number(row?.views ?? 0);
}

async function look(shop: Shop, productId: number, times: number): Promise<void> {
  const answers = await Promise.all(Array.from({ length: times }, () => shop.post(`/products/${productId}/views`)));
  expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [202, '']));
}

const repositoryOf = ({ app }: Shop): ProductViewsRepository => app.get(ProductViewsRepository, { strict: false });

describeAdapters((shop) => {
  it('counts at once, and in the database soon after', async () => {
    expect((await shop().get('/products/1/views')).body).toEqual({ views: 0 });
    await look(shop(), 1, 5);
    const { status, headers, body } = await shop().get('/products/1/views');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect((body as { readonly views: number }).views).toBeGreaterThanOrEqual(5);

    await eventually(async () => expect(await storedViews(shop(), 1)).toBe(5));
    await look(shop(), 1, 2);
    await eventually(async () => expect(await storedViews(shop(), 1)).toBe(7));
    await eventually(async () => expect((await shop().get('/products/1/views')).body).toEqual({ views: 7 }));
  });

  it('counts a batch once, however often and at whatever time it comes', async () => {
    const batch = [
      { key: 2, value: 3 },
      { key: 3, value: 4 },
    ];
    const context = { batchId: 'batch', partOf: undefined, attempt: 1, signal: new AbortController().signal };
    await Promise.all([repositoryOf(shop()).add(batch, context), repositoryOf(shop()).add(batch, context)]);
    await repositoryOf(shop()).add(batch, { ...context, attempt: 2 });
    // Entry by entry, since the attempts at the whole looked like failures.
    await repositoryOf(shop()).add(batch.slice(1), { ...context, batchId: 'batch/1', partOf: 'batch', attempt: 3 });
    expect([await storedViews(shop(), 2), await storedViews(shop(), 3)]).toEqual([3, 4]);
  });

  it('keeps nothing of a batch that fails', async () => {
    const context = { batchId: 'bad', partOf: undefined, attempt: 1, signal: new AbortController().signal };
    const good = { key: 4, value: 1 };
    await expect(repositoryOf(shop()).add([good, { key: 2_000_000_000, value: 1 }], context)).rejects.toThrow();
    expect(await storedViews(shop(), 4)).toBe(0);
    await repositoryOf(shop()).add([good], context);
    expect(await storedViews(shop(), 4)).toBe(1);
  });

  it('forgets batches that are a week old', async () => {
    const { db } = shop().database;
    const ages = { old: '8 days', young: '6 days' };
    for (const [id, age] of Object.entries(ages)) {
      await db
        .insertInto('applied_batches')
        .values({ id, applied_at: sql<Date>`now() - ${age}::interval` })
        .execute();
    }
    await look(shop(), 5, 1);
    const known = async () => (await db.selectFrom('applied_batches').select('id').execute()).map(({ id }) => id);
    await eventually(async () => expect(await known()).not.toContain('old'));
    expect(await known()).toContain('young');
  });

  it('counts nothing for a product that does not exist', async () => {
    const answers = [await shop().get('/products/999/views'), await shop().post('/products/999/views')];
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([404, expect.objectContaining({ detail: 'There is no product 999' })]);
    }
  });
});
