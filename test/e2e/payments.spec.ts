import { afterAll, beforeEach, expect, it } from '@jest/globals';
import { eventually } from 'rookery/testing';
import { LockService } from 'rookery/lock';
import { FakeProvider } from '../../src/app/payments/fake-provider/fake-provider.js';
import { type Answer, describeAdapters, type Shop } from './support/shop.js';

const API_KEY = 'key-of-the-tests';
const METHOD = 'tok_of_somebody';

const provider = await FakeProvider.start(API_KEY);
afterAll(() => provider.close());
beforeEach(() => provider.behave({}));

/** Payments are limited as orders are: each test has clients of its own. */
let last = 0;
const newClient = (): string => `203.0.113.${++last}`;

const asClient = (shop: Shop, path: string, body: unknown): Promise<Answer> =>
  shop.send(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': newClient() },
    body: JSON.stringify(body),
  });

async function ordered(shop: Shop): Promise<string> {
  const { status, body } = await asClient(shop, '/orders', { lines: [{ productId: 1, quantity: 1 }] });
  expect(status).toBe(201);
  return (body as { readonly id: string }).id;
}

const pay = (shop: Shop, id: string, body: unknown = { paymentMethod: METHOD }): Promise<Answer> =>
  asClient(shop, `/orders/${id}/pay`, body);

async function statusOf(shop: Shop, id: string): Promise<string> {
  return ((await shop.get(`/orders/${id}`)).body as { readonly paymentStatus: string }).paymentStatus;
}

const chargesOf = (id: string) => provider.charges.filter(({ idempotencyKey }) => idempotencyKey === id);

const rowOf = (shop: Shop, id: string) =>
  shop.database.db.selectFrom('payments').selectAll().where('order_id', '=', id).executeTakeFirst();

function expectProblem(answer: Answer, status: number, detail: unknown): void {
  expect([answer.status, answer.body]).toEqual([status, expect.objectContaining({ status, detail })]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(JSON.stringify(answer.body)).not.toMatch(new RegExp(`${METHOD}|${API_KEY}`));
}

function expectTryAgain(answer: Answer, status: number, detail: unknown): void {
  expectProblem(answer, status, detail);
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
}

describeAdapters(
  (shop) => {
    const [paying, unknown] = ['is being paid by somebody else', 'is not known yet'].map((part) =>
      expect.stringContaining(part),
    );

    it('charges an order once, however often it is paid, and shows that it is paid', async () => {
      const id = await ordered(shop());
      expect(await statusOf(shop(), id)).toBe('unpaid');
      const paid = await pay(shop(), id);
      expect([paid.status, paid.headers.get('cache-control'), chargesOf(id)]).toEqual([
        200,
        'no-store',
        [expect.objectContaining({ requests: 1 })],
      ]);
      const [charge] = chargesOf(id);
      expect(paid.body).toEqual({
        orderId: id,
        status: 'paid',
        amountCents: charge?.amountCents,
        currency: 'EUR',
        chargeId: charge?.id,
        updatedAt: expect.any(String),
      });
      expect(await statusOf(shop(), id)).toBe('paid');
      const again = await pay(shop(), id);
      expect([again.status, again.body]).toEqual([200, paid.body]);
      expect(chargesOf(id)).toEqual([expect.objectContaining({ requests: 1 })]);
    });

    it('lets one of eight pay, in all processes, and answers the others with what it has paid', async () => {
      await shop().withAnother(async (other) => {
        const id = await ordered(shop());
        const answers = await Promise.all(
          Array.from({ length: 8 }, (_, index) => pay(index % 2 === 0 ? shop() : other, id)),
        );
        // On a machine that is busy for so long that some have waited for two seconds, they are told so.
        const paid = answers.filter(({ status }) => status === 200);
        for (const answer of answers.filter(({ status }) => status !== 200)) expectTryAgain(answer, 409, paying);
        expect(new Set(paid.map(({ body }) => JSON.stringify(body))).size).toBe(1);
        expect(chargesOf(id)).toEqual([expect.objectContaining({ requests: 1 })]);
      });
    });

    it('waits for the provider as long as it may, and tells who would have to wait for long that somebody else is paying', async () => {
      await shop().withAnother(async (other) => {
        const id = await ordered(shop());
        provider.behave({ failure: 'hang', times: 1 });
        const first = pay(shop(), id);
        await eventually(() => expect(provider.requests(id)).toBe(1));
        expect(await statusOf(other, id)).toBe('pending');
        const others = await Promise.all(Array.from({ length: 7 }, (_, index) => pay(index < 4 ? other : shop(), id)));
        for (const answer of others) expectTryAgain(answer, 409, paying);
        expectTryAgain(await first, 504, unknown);
        expect(await statusOf(other, id)).toBe('pending');
        const [charge] = chargesOf(id);
        expect(await pay(other, id)).toMatchObject({ status: 200, body: { chargeId: charge?.id } });
        expect(chargesOf(id)).toEqual([expect.objectContaining({ requests: 2 })]);
      });
    });

    it('charges nothing when the payment is declined, and lets the order be paid by other means', async () => {
      const id = await ordered(shop());
      expectProblem(await pay(shop(), id, { paymentMethod: 'tok_declined' }), 402, expect.stringContaining('declined'));
      expect([await statusOf(shop(), id), chargesOf(id)]).toEqual(['declined', []]);
      expect((await pay(shop(), id)).status).toBe(200);
      expect([await statusOf(shop(), id), chargesOf(id).length]).toEqual(['paid', 1]);
    });

    it.each(['error', 'drop'] as const)(
      'does not know what became of a payment when the provider fails (%s), and finds out at the next try',
      async (failure) => {
        const id = await ordered(shop());
        provider.behave({ failure, times: 1 });
        expectTryAgain(await pay(shop(), id), 502, unknown);
        expect(await statusOf(shop(), id)).toBe('pending');
        const charged = chargesOf(id).map((charge) => charge.id);
        expect(charged).toHaveLength(failure === 'error' ? 0 : 1);

        // By other means even: what was charged by the first ones counts.
        const paid = await pay(shop(), id, { paymentMethod: 'tok_other' });
        expect([paid.status, await statusOf(shop(), id)]).toEqual([200, 'paid']);
        expect(chargesOf(id)).toEqual([expect.objectContaining({ requests: 2 })]);
        expect(paid.body).toMatchObject({ chargeId: charged[0] ?? chargesOf(id)[0]?.id });
      },
    );

    it('does not ask the provider for who comes with an older fence than has written', async () => {
      const id = await ordered(shop());
      const values = { order_id: id, amount_cents: 1, currency: 'EUR', status: 'pending' } as const;
      await shop()
        .database.db.insertInto('payments')
        .values({ ...values, fence: 9_000_000_000_000_000 })
        .execute();
      const before = await rowOf(shop(), id);
      expectTryAgain(await pay(shop(), id), 409, expect.stringContaining('has gone on with the payment'));
      expect(await rowOf(shop(), id)).toEqual(before);
      expect(provider.requests(id)).toBe(0);
    });

    it('takes nothing from a payer whose lock is another’s by the time that the provider answers', async () => {
      const id = await ordered(shop());
      // The first is answered with what the provider has done long before.
      provider.behave({ delayMs: 2_000, times: 1 });
      const late = pay(shop(), id);
      await eventually(() => expect(provider.requests(id)).toBe(1));
      await shop().app.get(LockService).forceRelease(['payment', id], { reason: 'a test' });
      const paid = await pay(shop(), id);
      expect(paid.status).toBe(200);
      const before = await rowOf(shop(), id);
      expectTryAgain(await late, 409, expect.stringContaining('has gone on with the payment'));
      expect(await rowOf(shop(), id)).toEqual(before);
      expect(chargesOf(id)).toEqual([expect.objectContaining({ requests: 2 })]);
      expect(await pay(shop(), id)).toMatchObject({ status: 200, body: paid.body });
    });

    it('gives the call up when its lock is lost, and settles it later', async () => {
      const id = await ordered(shop());
      provider.behave({ delayMs: 60_000, times: 1 });
      const late = pay(shop(), id);
      await eventually(() => expect(provider.requests(id)).toBe(1));
      await shop().app.get(LockService).forceRelease(['payment', id], { reason: 'a test' });
      expectTryAgain(await late, 503, expect.stringContaining('lock was lost'));
      expect(await statusOf(shop(), id)).toBe('pending');
      expect((await pay(shop(), id)).status).toBe(200);
      expect(chargesOf(id)).toEqual([expect.objectContaining({ requests: 2 })]);
    });

    it('has no payment for an order that does not exist', async () => {
      const id = '00000000-0000-4000-8000-000000000000';
      expectProblem(await pay(shop(), id), 404, 'There is no such order');
      expect((await pay(shop(), '1')).status).toBe(400);
    });

    it.each([[{}], [{ paymentMethod: '' }], [{ paymentMethod: 7 }], [{ paymentMethod: '4242424242424242' }]])(
      'refuses the body %j without repeating it',
      async (body) => {
        const answer = await pay(shop(), '00000000-0000-4000-8000-000000000000', body);
        expectProblem(answer, 400, expect.any(String));
        expect(answer.body).toMatchObject({ errors: [{ field: 'paymentMethod' }] });
        expect(JSON.stringify(answer.body)).not.toContain('4242');
      },
    );

    it('charges nothing without Redis, and shows what is paid', async () => {
      const [redis] = shop().redis.nodes;
      const [unpaid, paid] = [await ordered(shop()), await ordered(shop())];
      const { body } = await pay(shop(), paid);
      await redis?.kill();
      await shop().untilReadyIs('degraded');
      expectTryAgain(await pay(shop(), unpaid), 503, expect.stringContaining('Redis'));
      expect([await statusOf(shop(), unpaid), provider.requests(unpaid)]).toEqual(['unpaid', 0]);
      expect(await pay(shop(), paid)).toMatchObject({ status: 200, body });
      await redis?.start();
      await shop().untilReadyIs('ok');
      await eventually(async () => expect((await pay(shop(), unpaid)).status).toBe(200));
      expect(chargesOf(unpaid)).toHaveLength(1);
    });
  },
  { trustedProxies: ['loopback'], payments: { url: provider.url, apiKey: API_KEY, timeoutMs: 5_000 } },
);
