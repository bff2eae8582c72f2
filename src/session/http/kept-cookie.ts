/** What is used of Node's response, which Express' is. */
export interface CookieResponse {
  writeHead(status: number, ...rest: unknown[]): unknown;
  getHeader(name: string): unknown;
  setHeader(name: string, value: readonly string[]): unknown;
  readonly headersSent: boolean;
}

/**
 * Keeps a cookie of Node's response on the answer, whatever sets others: Fastify's reply puts its own in place of those, and so does `setHeader`. It is looked after
 * when the head is written, which is the only place that all ways to answer have in common.
 */
export class KeptCookie {
  constructor(
    response: CookieResponse,
    /** What was set last: it counts for more than what was set before. */
    public value: string,
  ) {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (status, ...rest) => {
      if (!response.headersSent && !this.#putAmong(rest)) {
        response.setHeader('Set-Cookie', this.#with(response.getHeader('Set-Cookie')));
      }
      return writeHead(status, ...rest);
    };
  }

  /** Where the head is written with cookies, they replace those that were set. Returns whether that is so. */
  #putAmong(rest: unknown[]): boolean {
    const fields = rest.at(-1);
    if (typeof fields !== 'object' || fields === null) return false;
    const name = Object.keys(fields).find((field) => field.toLowerCase() === 'set-cookie');
    if (name === undefined) return false;
    rest[rest.length - 1] = { ...fields, [name]: this.#with((fields as Record<string, unknown>)[name]) };
    return true;
  }

  /** In front: where the name is the same, the last one counts, and that was set after this. */
  #with(others: unknown): string[] {
    const cookies = [others ?? []].flat().map(String);
    return cookies.includes(this.value) ? cookies : [this.value, ...cookies];
  }
}
