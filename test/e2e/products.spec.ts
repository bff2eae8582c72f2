import { expect, it } from '@jest/globals';
import { eventually } from 'rookery/testing';
import { describeAdapters, Shop } from './support/shop.js';

interface Page {
  readonly items: readonly { readonly id: number; readonly category: string; readonly brand: string }[];
  readonly total: number;
}

const change = {
  name: 'Wool Blanket, Sage',
  category: 'bedding',
  brand: 'corvid',
  priceCents: 5_990,
  description: 'A blanket.',
  stock: 3,
};

describeAdapters((shop) => {
  it('reads a product from the database first, and from the cache then', async () => {
    const first = await shop().get('/products/1');
    const second = await shop().get('/products/1');

    expect([first.status, first.headers.get('x-cache')]).toEqual([200, 'miss']);
    expect([second.status, second.headers.get('x-cache')]).toEqual([200, 'hit']);
    expect(second.body).toEqual(first.body);
    expect(first.body).toEqual({
      id: 1,
      sku: 'BED-000001',
      name: 'Flannel Bedspread, Natural',
      category: 'bedding',
      brand: 'harrow-lane',
      priceCents: 4_590,
      currency: 'EUR',
      description: 'Bedspread in flannel, natural, made by Harrow Lane.',
      stock: 95,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      version: 1,
    });
  });

  it('shows a change to the next reader', async () => {
    await shop().get('/products/2');
    expect((await shop().get('/products/2')).headers.get('x-cache')).toBe('hit');

    const changed = await shop().put('/products/2', change);
    expect([changed.status, changed.body]).toEqual([200, expect.objectContaining({ ...change, id: 2, version: 2 })]);

    const next = await shop().get('/products/2');
    expect(next.headers.get('x-cache')).toBe('miss');
    expect(next.body).toEqual(changed.body);
  });

  it('keeps the price of a second editor from overwriting that of the first', async () => {
    const first = await shop().put('/products/3', { ...change, version: 1, priceCents: 100 });
    const second = await shop().put('/products/3', { ...change, version: 1, priceCents: 200 });

    expect([first.status, second.status]).toEqual([200, 409]);
    expect(second.body).toMatchObject({ status: 409, detail: expect.stringContaining('version 2') });
    expect((await shop().get('/products/3')).body).toMatchObject({ priceCents: 100 });
  });

  it('shows a change to the readers of another instance, whose memory had the product', async () => {
    await shop().withAnother(async (other) => {
      await other.get('/products/4');
      await eventually(async () => expect((await other.get('/products/4')).headers.get('x-cache')).toBe('hit'));
      const changed = await shop().put('/products/4', change);
      await eventually(async () => expect((await other.get('/products/4')).body).toEqual(changed.body), {
        within: '2s',
      });
    });
  });

  it('answers 404 for a product that does not exist', async () => {
    for (let read = 0; read < 2; read += 1) {
      const answer = await shop().get('/products/2147483647');
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        404,
        expect.stringContaining('application/problem+json'),
      ]);
      expect(answer.headers.get('x-cache')).not.toBe('hit');
      expect(answer.body).toEqual({
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'There is no product 2147483647',
        instance: '/products/2147483647',
      });
    }
    expect((await shop().put('/products/2147483647', change)).status).toBe(404);
  });

  it('remembers for some seconds that a product does not exist, until it is changed or that time is over', async () => {
    const { db } = shop().database;
    const row = { sku: 'NEW', name: 'New', category: 'games', brand: 'corvid', price_cents: 1, currency: 'EUR' };
    const add = (id: number) =>
      db
        .insertInto('products')
        .values({ ...row, id, sku: `NEW-${id}`, description: '', stock: 1 })
        .execute();
    for (const id of [70_001, 70_002]) {
      expect((await shop().get(`/products/${id}`)).status).toBe(404);
      await add(id);
      expect((await shop().get(`/products/${id}`)).status).toBe(404);
    }
    try {
      expect((await shop().put('/products/70001', change)).status).toBe(200);
      expect((await shop().get('/products/70001')).body).toMatchObject(change);
      await eventually(async () => expect((await shop().get('/products/70002')).status).toBe(200), { within: '8s' });
    } finally {
      await db.deleteFrom('products').where('id', '>', Shop.products).execute();
    }
  });

  it('lists page by page, in the order of id', async () => {
    const first = await shop().get('/products');
    expect(first.body).toMatchObject({ page: 1, pageSize: 24, total: 60, pages: 3 });
    expect((first.body as Page).items.map(({ id }) => id)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));

    const last = await shop().get('/products?page=3');
    expect((last.body as Page).items.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, index) => index + 49));
  });

  it('has an empty page beyond the last one', async () => {
    const beyond = await shop().get('/products?page=4');
    expect([beyond.status, beyond.body]).toEqual([200, { items: [], page: 4, pageSize: 24, total: 60, pages: 3 }]);
  });

  it('lists by category and by brand', async () => {
    const { items, total } = (await shop().get('/products?category=kitchen&pageSize=100')).body as Page;
    expect(total).toBeGreaterThan(0);
    expect(items).toHaveLength(total);
    expect(new Set(items.map(({ category }) => category))).toEqual(new Set(['kitchen']));

    const brand = items[0]?.brand;
    const both = (await shop().get(`/products?category=kitchen&brand=${brand}`)).body as Page;
    expect(both.items).toEqual(items.filter((item) => item.brand === brand));
    expect((await shop().get('/products?category=no-such-thing')).body).toMatchObject({ total: 0, items: [] });
  });
});
