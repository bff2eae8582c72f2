import { expect, it } from '@jest/globals';
import { describeAdapters, type Shop } from './support/shop.js';

interface Page {
  readonly items: readonly { readonly id: number; readonly name: string; readonly description: string }[];
  readonly total: number;
  readonly pages: number;
}

async function search(shop: Shop, q: string, rest = ''): Promise<Page> {
  const { status, body } = await shop.get(`/products/search?q=${encodeURIComponent(q)}${rest}`);
  expect(status).toBe(200);
  return body as Page;
}

async function name(shop: Shop, id: number, words: string, description = ''): Promise<void> {
  const change = { name: words, category: 'bedding', brand: 'corvid', priceCents: 1, description, stock: 1 };
  expect((await shop.put(`/products/${id}`, change)).status).toBe(200);
}

describeAdapters((shop) => {
  it('finds products by words in names and descriptions, the best first', async () => {
    await name(shop(), 1, 'Zebra lamp', 'A lamp with zebras on it: zebra by zebra');
    await name(shop(), 2, 'Lamp', 'For those who like a zebra');
    await name(shop(), 3, 'Zebra crossing');
    const all = await search(shop(), 'zebras');
    expect([all.items[0]?.id, all.items.map(({ id }) => id).toSorted(), all.total]).toEqual([1, [1, 2, 3], 3]);
    expect((await search(shop(), 'zebra lamp')).items.map(({ id }) => id)).toEqual([1, 2]);
    expect((await search(shop(), 'zebra -lamp')).items.map(({ id }) => id)).toEqual([3]);
    const second = await search(shop(), 'zebra', '&pageSize=2&page=2');
    expect([second.items.length, second.total, second.pages]).toEqual([1, 3, 2]);
  });

  it.each(["'; drop table products; --", '"', '((', '& | !', '%', 'the'])(
    'finds nothing by %j, and comes to no harm',
    async (q) => {
      expect((await search(shop(), q)).items).toEqual([]);
    },
  );

  it.each(['', 'q=', `q=${'a'.repeat(201)}`, 'q=a&q=b', 'q=a%00', 'q=a&page=0', 'q=a&category=x'])(
    'refuses ?%s',
    async (query) => {
      expect((await shop().get(`/products/search?${query}`)).status).toBe(400);
    },
  );
});
