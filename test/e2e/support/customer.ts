import { CookieClient, type CookieAnswer } from '../../support/cookie-client.js';
import type { Shop } from './shop.js';

export const PASSWORD = 'correct horse battery staple';

let last = 0;

/**
 * Somebody with a browser. Tries to log in are limited by address, so each has one: the shop has to trust the word of a proxy, `trustedProxies: ['loopback']`.
 */
export class Customer {
  userId = 0;

  private constructor(
    readonly email: string,
    readonly browser: CookieClient,
    private readonly ip: string,
  ) {}

  /** Somebody who is registered, and logged in. */
  static async of(shop: Shop): Promise<Customer> {
    const customer = Customer.stranger(shop);
    const { email } = customer;
    const registered = await customer.send('POST', '/auth/register', { email, name: 'Ada', password: PASSWORD });
    if (registered.status !== 201) throw new Error(`Not registered: ${registered.status}.`);
    await customer.logIn();
    customer.userId = (registered.body as { readonly id: number }).id;
    return customer;
  }

  static stranger(shop: Shop): Customer {
    last += 1;
    return new Customer(
      `customer-${last}@example.com`,
      new CookieClient(shop.url),
      `198.51.${last >> 8}.${last & 255}`,
    );
  }

  /** The same person at another machine, where nobody is logged in. */
  elsewhere(shop: Shop): Customer {
    const { browser, ip } = Customer.stranger(shop);
    const customer = new Customer(this.email, browser, ip);
    customer.userId = this.userId;
    return customer;
  }

  async logIn(password: string = PASSWORD): Promise<CookieAnswer> {
    return this.send('POST', '/auth/login', { email: this.email, password });
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<CookieAnswer> {
    return this.browser.send(method, path, body, { 'x-forwarded-for': this.ip, ...headers });
  }

  async get(path: string): Promise<CookieAnswer> {
    return this.send('GET', path);
  }

  async put(path: string, body: unknown): Promise<CookieAnswer> {
    return this.send('PUT', path, body);
  }
}
