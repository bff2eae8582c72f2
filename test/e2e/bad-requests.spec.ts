import { connect } from 'node:net';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { type Answer, describeAdaptersOnOneDatabase, type Shop } from './support/shop.js';

const change = { name: 'A', category: 'bedding', brand: 'corvid', priceCents: 1, description: '', stock: 0 };

function fieldsOf({ status, headers, body }: Answer): readonly string[] {
  expect([status, headers.get('content-type')]).toEqual([400, expect.stringContaining('application/problem+json')]);
  const problem = body as { readonly errors?: readonly { readonly field: string; readonly message: string }[] };
  expect(problem).toMatchObject({ title: 'Bad Request', status: 400, instance: expect.stringMatching(/^\/[^?]*$/) });
  return (problem.errors ?? []).map(({ field }) => field);
}

/** What no client library would send. */
async function raw(shop: Shop, request: string): Promise<string> {
  const { port } = new URL(shop.url);
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(request);
  await once(socket, 'close');
  return answer;
}

describeAdaptersOnOneDatabase((shop) => {
  it.each(['0', '-1', 'abc', '1.5', '1e3', '0x1', '2147483648', '99999999999999999999', '1%20'])(
    'refuses the id %s',
    async (id) => {
      expect(fieldsOf(await shop().get(`/products/${id}`))).toEqual(['id']);
      expect(fieldsOf(await shop().put(`/products/${id}`, change))).toEqual(['id']);
      expect(fieldsOf(await shop().get(`/products/${id}/views`))).toEqual(['id']);
      expect(fieldsOf(await shop().post(`/products/${id}/views`))).toEqual(['id']);
    },
  );

  it.each([
    ['page=0', 'page'],
    ['page=x', 'page'],
    ['page=', 'page'],
    ['page=1&page=2', 'page'],
    ['page=99999999999', 'page'],
    ['pageSize=101', 'pageSize'],
    ['category=Kitchen%20', 'category'],
    ['brand=%00', 'brand'],
    ['brand[]=corvid', 'brand'],
    ['colour=red', 'colour'],
  ])('refuses the query ?%s', async (query, field) => {
    // Fastify leaves `brand[]` as the name of a parameter of its own.
    expect(fieldsOf(await shop().get(`/products?${query}`)).map((name) => name.replace('[]', ''))).toEqual([field]);
  });

  it.each([
    [{ priceCents: 1.5 }, ['priceCents']],
    [{ priceCents: '100' }, ['priceCents']],
    [{ priceCents: -1, stock: -1 }, ['priceCents', 'stock']],
    [{ name: '' }, ['name']],
    [{ name: 'a\u0000b' }, ['name']],
    [{ name: { $gt: '' } }, ['name']],
    [{ id: 7 }, ['id']],
    [{ version: 0 }, ['version']],
    [{ category: 'no-such-category' }, ['category']],
    [{ brand: 'no-such-brand' }, ['brand']],
  ])('refuses a body with %j', async (part, fields) => {
    expect(fieldsOf(await shop().put('/products/5', { ...change, ...part }))).toEqual(fields);
  });

  it('refuses a body that lacks fields, naming each', async () => {
    expect(fieldsOf(await shop().put('/products/5', { name: 'A', stock: 1 })).toSorted()).toEqual([
      'brand',
      'category',
      'description',
      'priceCents',
    ]);
  });

  it.each(['{"name": ', '[]', 'null', '"text"', '7', ''])('refuses the body %s', async (body) => {
    expect(fieldsOf(await shop().put('/products/5', body))).toEqual(
      body === '' ? expect.arrayContaining([expect.any(String)]) : ['body'],
    );
  });

  it('writes nothing of what it refuses', async () => {
    expect((await shop().get('/products/5')).body).toMatchObject({ version: 1 });
  });

  it('refuses a body that is too large with 413, and one that is not JSON with 4xx', async () => {
    const large = await shop().put('/products/5', { ...change, description: 'x'.repeat(200_000) });
    expect([large.status, large.headers.get('content-type')]).toEqual([
      413,
      expect.stringContaining('application/problem+json'),
    ]);
    const text = await shop().send('/products/5', {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: 'x',
    });
    expect([400, 415]).toContain(text.status);
    expect(text.headers.get('content-type')).toContain('application/problem+json');
  });

  it.each(['/', '/nope', '/products/1/nope', '/health'])('answers 404 for the unknown route %s', async (path) => {
    const answer = await shop().get(path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(answer.body).toMatchObject({ title: 'Not Found', instance: path });
  });

  it('answers a URL that cannot be decoded with 400', async () => {
    const answer = await raw(shop(), 'GET /products/%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
  });

  it('keeps its inside to itself when it fails', async () => {
    const { db } = shop().database;
    await db.schema.alterTable('products').renameTo('hidden').execute();
    try {
      const answer = await shop().get('/products?page=1');
      expect(answer.status).toBe(500);
      expect(answer.body).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        detail: 'The service failed to answer',
        instance: '/products',
      });
    } finally {
      await db.schema.alterTable('hidden').renameTo('products').execute();
    }
  });

  it('names no server software, and forbids guessing content types', async () => {
    const { headers } = await shop().get('/products/1');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});
