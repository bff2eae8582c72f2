import { expect, it } from '@jest/globals';
import { describeAdapters, type Shop } from './support/shop.js';

interface Filter {
  readonly category?: string | undefined;
  readonly brand?: string | undefined;
}

function listOf(filter: Filter): string {
  const given = Object.entries(filter).filter(([, slug]) => slug !== undefined);
  const query = new URLSearchParams({ ...Object.fromEntries(given), pageSize: '100' });
  return `/products?${query.toString()}`;
}

/** What the list should say, from the database. */
async function idsOf({ database }: Shop, filter: Filter): Promise<number[]> {
  const products = await database.db.selectFrom('products').selectAll().orderBy('id').execute();
  return products
    .filter(({ category, brand }) => category === (filter.category ?? category) && brand === (filter.brand ?? brand))
    .map(({ id }) => id);
}

async function idsIn(shop: Shop, filter: Filter): Promise<number[]> {
  const { body } = await shop.get(listOf(filter));
  return (body as { readonly items: readonly { readonly id: number }[] }).items.map(({ id }) => id);
}

describeAdapters((shop) => {
  it('sends a page once, and says then that the client has it already', async () => {
    const first = await shop().get('/products?category=kitchen&page=1');
    const second = await shop().get('/products?page=1&category=kitchen');
    expect([first.status, first.headers.get('x-cache')]).toEqual([200, 'miss']);
    expect([second.status, second.headers.get('x-cache')]).toEqual([200, 'hit']);
    expect(second.body).toEqual(first.body);
    // Everybody may keep the page, and has to ask before using it: so nobody misses a change.
    expect(first.headers.get('cache-control')).toBe('public, no-cache');

    const etag = String(first.headers.get('etag'));
    const third = await shop().send('/products?category=kitchen&page=1', { headers: { 'if-none-match': etag } });
    expect([third.status, third.body, third.headers.get('etag')]).toEqual([304, '', etag]);
    const other = await shop().send('/products?category=kitchen&page=1', { headers: { 'if-none-match': '"other"' } });
    expect([other.status, other.body]).toEqual([200, first.body]);
  });

  it('answers HEAD as GET, without the page', async () => {
    const get = await shop().get('/products?brand=corvid');
    const head = await shop().send('/products?brand=corvid', { method: 'HEAD' });
    expect([head.status, head.body, head.headers.get('x-cache')]).toEqual([200, '', 'hit']);
    for (const name of ['etag', 'content-type', 'cache-control']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
  });

  it('is the same for clients with credentials', async () => {
    await shop().get('/products?page=2');
    const known = await shop().send('/products?page=2', { headers: { authorization: 'Bearer x', cookie: 'a=b' } });
    expect([known.status, known.headers.get('x-cache')]).toEqual([200, 'hit']);
  });

  it('keeps neither what it refuses nor pages beyond the end', async () => {
    for (const path of [
      '/products?page=1000000',
      '/products?category=no-such-thing',
      '/products?page=0',
      '/products?colour=red',
    ]) {
      await shop().get(path);
      expect((await shop().get(path)).headers.get('x-cache')).not.toBe('hit');
    }
  });

  it('shows a product that moves at once in every list that it enters, and in none that it leaves', async () => {
    const before = (await shop().get('/products/11')).body as { readonly category: string; readonly brand: string };
    const after = {
      category: before.category === 'games' ? 'garden' : 'games',
      brand: before.brand === 'corvid' ? 'harrow-lane' : 'corvid',
    };
    const brands = [undefined, before.brand, after.brand];
    const categories = [undefined, before.category, after.category];
    const filters = categories.flatMap((category) => brands.map((brand): Filter => ({ category, brand })));
    const elsewhere = await listWithout(shop(), before, after);
    for (const path of [...filters.map(listOf), elsewhere]) {
      await shop().get(path);
      expect((await shop().get(path)).headers.get('x-cache')).toMatch(/^(hit|bypass)$/);
    }

    const change = { name: 'Moved', description: '', priceCents: 1, stock: 1 };
    expect((await shop().put('/products/11', { ...change, ...after })).status).toBe(200);
    for (const filter of filters) {
      expect({ filter, ids: await idsIn(shop(), filter) }).toEqual({ filter, ids: await idsOf(shop(), filter) });
    }
    // What it has nothing to do with stays.
    expect((await shop().get(elsewhere)).headers.get('x-cache')).toBe('hit');
  });

  it('shows a change that moves nothing at once in every list of the product', async () => {
    const { category, brand } = (await shop().get('/products/12')).body as {
      readonly category: string;
      readonly brand: string;
    };
    const filters: Filter[] = [{}, { category }, { brand }, { category, brand }];
    for (const filter of filters) {
      await shop().get(listOf(filter));
      expect((await shop().get(listOf(filter))).headers.get('x-cache')).toBe('hit');
    }
    const change = { name: 'Cheaper', category, brand, description: '', priceCents: 2, stock: 1 };
    const { body: product } = await shop().put('/products/12', change);
    for (const filter of filters) {
      const { body } = await shop().get(listOf(filter));
      expect(body).toMatchObject({ items: expect.arrayContaining([product]) });
    }
  });
});

/** A list with something in it that neither place of a product has to do with. */
async function listWithout({ database }: Shop, ...places: readonly Filter[]): Promise<string> {
  const { brand } = await database.db
    .selectFrom('products')
    .select('brand')
    .where(
      'brand',
      'not in',
      places.map(({ brand }) => String(brand)),
    )
    .executeTakeFirstOrThrow();
  return listOf({ brand });
}
