import { expect, it } from '@jest/globals';
import { describeAdaptersOnOneDatabase } from './support/shop.js';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Record<string, unknown> }>>>>;
}

describeAdaptersOnOneDatabase((shop) => {
  it('describes every route, with the answers that it may give', async () => {
    const { paths } = (await shop().get('/docs-json')).body as OpenApi;
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses }]) => `${method} ${path} ${Object.keys(responses).join(' ')}`),
    );
    expect(routes.toSorted()).toEqual([
      'delete /account 204 401 403 429 503',
      'delete /admin/rate-limits/{client} 204 400 401 403 429 503',
      'delete /admin/sessions 200 401 403 429 503',
      'delete /admin/users/{userId}/sessions 200 400 401 403 429 503',
      'delete /auth/sessions 200 400 401 403 429 503',
      'delete /auth/sessions/{id} 204 400 401 403 404 429 503',
      'get /account/settings 200 401 403 429 503',
      'get /admin/rate-limits/{client} 200 400 401 403 429 503',
      'get /auth/session 200 401 403 429 503',
      'get /auth/sessions 200 401 403 429 503',
      'get /health/live 200',
      'get /health/ready 200 503',
      'get /orders/{id} 200 400 404 429',
      'get /products 200 304 400 429',
      'get /products/search 200 400 429',
      'get /products/{id} 200 400 404 429',
      'get /products/{id}/views 200 400 404 429 503',
      'post /auth/login 200 400 401 403 429 503',
      'post /auth/logout 204 403 429 503',
      'post /auth/register 201 400 403 409 429',
      'post /orders 201 400 403 409 429',
      'post /orders/{id}/pay 200 400 402 403 404 409 429 502 503 504',
      'post /products/{id}/views 202 400 403 404 429 503',
      'put /account/password 204 400 401 403 429 503',
      'put /account/settings 200 400 401 403 429 503',
      'put /products/{id} 200 400 403 404 409 429',
    ]);
  });

  it('serves its pages from its own disk', async () => {
    const page = await shop().get('/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const links = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => String(link));
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).not.toMatch(/^(https?:)?\/\//);
      expect((await shop().get(new URL(link, `${shop().url}/docs`).pathname)).status).toBe(200);
    }
  });
});
