import { expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { FlushContext } from 'rookery/cache';
import { eventually } from 'rookery/testing';
import { PartlyCountedError } from '../../src/app/product-views/partly-counted.error.js';
import { ProductViewsRepository } from '../../src/app/product-views/product-views.repository.js';
import { whileDatabaseIsOccupied } from './support/occupy-database.js';
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

  it('counts nothing of a whole batch once a part of it has been counted, and the other parts all the same', async () => {
    const batch = [
      { key: 6, value: 3 },
      { key: 7, value: 4 },
    ];
    const whole = { batchId: 'late', partOf: undefined, attempt: 1, signal: new AbortController().signal };
    const part = (place: number) => ({ ...whole, batchId: `late/${place}`, partOf: 'late', attempt: 2 });
    const repository = repositoryOf(shop());
    await repository.add(batch.slice(0, 1), part(0));
    // Given up long ago, and it had only been waiting for its turn.
    await expect(repository.add(batch, whole)).rejects.toThrow(PartlyCountedError);
    expect([await storedViews(shop(), 6), await storedViews(shop(), 7)]).toEqual([3, 0]);
    await repository.add(batch.slice(1), part(1));
    await repository.add(batch.slice(1), part(1));
    expect([await storedViews(shop(), 6), await storedViews(shop(), 7)]).toEqual([3, 4]);
  });

  it('holds one lock for a batch and for its parts, and another one for another batch', async () => {
    const { db } = shop().database;
    // The embedded database has one connection, so that two attempts never meet in it: a trigger tells what is locked.
    await sql`create table locks_seen (id text, lock bigint)`.execute(db);
    await sql`create function note_locks() returns trigger language plpgsql as $$ begin
      insert into locks_seen
        select new.id, classid::bigint << 32 | objid::bigint from pg_locks where locktype = 'advisory';
      return new; end $$`.execute(db);
    await sql`create trigger watch after insert on applied_batches for each row execute function note_locks()`.execute(
      db,
    );
    const context = { partOf: undefined, attempt: 1, signal: new AbortController().signal };
    const add = (own: Partial<FlushContext> & { readonly batchId: string }) =>
      repositoryOf(shop()).add([{ key: 8, value: 1 }], { ...context, ...own });
    await add({ batchId: 'locked' });
    await add({ batchId: 'apart/0', partOf: 'apart' });
    await add({ batchId: 'apart/1', partOf: 'apart' });
    await sql`drop trigger watch on applied_batches`.execute(db);

    const lockOf = (id: string) => sql`(select lock from locks_seen where id = ${id})`;
    const { rows } = await sql`select
      ${lockOf('locked')} = hashtextextended('locked', 0) as whole,
      ${lockOf('apart/0')} = hashtextextended('apart', 0) as first,
      ${lockOf('apart/1')} = hashtextextended('apart', 0) as second`.execute(db);
    expect(rows).toEqual([{ whole: true, first: true, second: true }]);
  });

  it('counts nothing when it is told to stop while it waits for the database', async () => {
    const stop = new AbortController();
    const context = { batchId: 'stopped', partOf: undefined, attempt: 1, signal: stop.signal };
    let adding: Promise<void> | undefined;
    await whileDatabaseIsOccupied(shop(), async () => {
      adding = repositoryOf(shop()).add([{ key: 9, value: 1 }], context);
      adding.catch(() => undefined);
      stop.abort(new Error('given up'));
    });
    await expect(adding).rejects.toThrow('given up');
    expect(await storedViews(shop(), 9)).toBe(0);
    await repositoryOf(shop()).add([{ key: 9, value: 1 }], { ...context, signal: new AbortController().signal });
    expect(await storedViews(shop(), 9)).toBe(1);
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
