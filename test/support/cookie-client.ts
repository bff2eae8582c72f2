/** An answer to a {@link CookieClient}. */
export interface CookieAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  /** What `Set-Cookie` said, in order. */
  readonly cookies: readonly string[];
}

/** A client that keeps cookies as a browser does, one host and no paths; it has one jar, and shows it. */
export class CookieClient {
  readonly jar = new Map<string, string>();

  constructor(private readonly url: string) {}

  get(path: string, headers: Record<string, string> = {}): Promise<CookieAnswer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<CookieAnswer> {
    return this.send('POST', path, body, headers);
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<CookieAnswer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.jar.size === 0 ? {} : { cookie: this.header() }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const cookies = response.headers.getSetCookie();
    for (const cookie of cookies) this.#keep(cookie);
    const text = await response.text();
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as unknown) : text,
      cookies,
    };
  }

  header(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Another client with the same cookies. */
  twin(): CookieClient {
    const twin = new CookieClient(this.url);
    for (const [name, value] of this.jar) twin.jar.set(name, value);
    return twin;
  }

  #keep(cookie: string): void {
    const [pair = '', ...attributes] = cookie.split('; ');
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    if (attributes.includes('Max-Age=0')) this.jar.delete(name);
    else this.jar.set(name, pair.slice(at + 1));
  }
}
