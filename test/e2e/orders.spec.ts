import { expect, it } from '@jest/globals';
import { describeAdapters, type Shop } from './support/shop.js';

interface Order {
  readonly id: string;
  readonly totalCents: number;
}

/** Orders have a limit of their own: each test has a client. */
let last = 0;
const newClient = (): string => `198.51.100.${++last}`;

async function order(shop: Shop, lines: unknown, client = newClient()) {
  return shop.send('/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': client },
    body: JSON.stringify({ lines }),
  });
}

async function stocked(shop: Shop, id: number, stock: number): Promise<number> {
  const change = { name: 'A', category: 'bedding', brand: 'corvid', priceCents: 250, description: '', stock };
  expect((await shop.put(`/products/${id}`, change)).status).toBe(200);
  return id;
}

const stockOf = async (shop: Shop, id: number): Promise<number> =>
  ((await shop.get(`/products/${id}`)).body as { stock: number }).stock;

describeAdapters(
  (shop) => {
    it('takes what is ordered out of the store, and shows the order to who knows its id', async () => {
      const [one, two] = [await stocked(shop(), 1, 10), await stocked(shop(), 2, 10)];
      await stockOf(shop(), one);
      const placed = await order(shop(), [
        { productId: two, quantity: 1 },
        { productId: one, quantity: 3 },
      ]);
      expect([placed.status, placed.body]).toEqual([
        201,
        {
          id: expect.stringMatching(/^[\da-f-]{36}$/),
          lines: [
            { productId: one, quantity: 3, priceCents: 250 },
            { productId: two, quantity: 1, priceCents: 250 },
          ],
          totalCents: 1_000,
          currency: 'EUR',
          paymentStatus: 'unpaid',
          createdAt: expect.any(String),
        },
      ]);
      // Not the product as the cache had it.
      expect([await stockOf(shop(), one), await stockOf(shop(), two)]).toEqual([7, 9]);
      const found = await shop().get(`/orders/${(placed.body as Order).id}`);
      expect([found.status, found.body]).toEqual([200, placed.body]);
    });

    it('orders all of it or nothing', async () => {
      const [plenty, few] = [await stocked(shop(), 3, 10), await stocked(shop(), 4, 1)];
      const refused = await order(shop(), [
        { productId: plenty, quantity: 1 },
        { productId: few, quantity: 2 },
      ]);
      expect([refused.status, refused.body]).toEqual([
        409,
        expect.objectContaining({ detail: `There are not so many of product ${few} in store` }),
      ]);
      expect([await stockOf(shop(), plenty), await stockOf(shop(), few)]).toEqual([10, 1]);
    });

    it('sells the last one once', async () => {
      const id = await stocked(shop(), 5, 3);
      const answers = await Promise.all(
        Array.from({ length: 9 }, () => order(shop(), [{ productId: id, quantity: 1 }])),
      );
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409, 409, 409, 409]);
      expect(await stockOf(shop(), id)).toBe(0);
    });

    it.each([
      [undefined, ['lines']],
      [[], ['lines']],
      [[{ productId: 1, quantity: 0 }], ['lines.0.quantity']],
      [[{ productId: 1, quantity: 1.5 }], ['lines.0.quantity']],
      [[{ productId: '1', quantity: 1 }], ['lines.0.productId']],
      [[{ productId: 1, quantity: 1, priceCents: 0 }], ['lines.0.priceCents']],
      [[null], ['lines.0']],
      [
        [
          { productId: 1, quantity: 1 },
          { productId: 1, quantity: 2 },
        ],
        ['lines'],
      ],
      [
        [
          { productId: 9_999, quantity: 1 },
          { productId: 1, quantity: 1 },
        ],
        ['lines.0.productId'],
      ],
    ])('refuses the lines %j', async (lines, fields) => {
      const { status, body } = await order(shop(), lines);
      const { errors = [] } = body as { errors?: readonly { field: string }[] };
      expect([status, errors.map(({ field }) => field)]).toEqual([400, fields]);
    });

    it('has no order of an id that was never given, and refuses what is none', async () => {
      expect((await shop().get('/orders/00000000-0000-4000-8000-000000000000')).status).toBe(404);
      expect((await shop().get('/orders/1')).status).toBe(400);
    });
  },
  { trustedProxies: ['loopback'] },
);
