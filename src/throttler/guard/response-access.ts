import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { Caller } from '../callers/caller.js';
import type { HeaderFields } from '../http/rate-limit-headers.js';
import type { RateLimitResult } from '../rate-limit-result.js';

/** Node's response, which Express' is, or Fastify's reply. */
interface AnyResponse {
  readonly setHeader?: (name: string, value: string) => unknown;
  readonly header?: (name: string, value: string) => unknown;
  readonly once?: (event: string, listener: () => void) => unknown;
  readonly raw?: Pick<AnyResponse, 'once'>;
}

/** Sets headers, on whichever adapter's response. */
export function setHeaders(response: unknown, fields: HeaderFields): void {
  const any = response as AnyResponse;
  for (const [name, value] of fields) {
    if (any.setHeader !== undefined) any.setHeader(name, value);
    else any.header?.(name, value);
  }
}

/** Gives slots back when the answer has been sent, or its connection is gone. */
export function releaseWhenAnswered({ response, type }: Caller, result: RateLimitResult): void {
  const any = response as AnyResponse | undefined;
  const raw = any?.raw ?? any;
  if (raw?.once !== undefined) {
    raw.once('close', () => void result.release());
    return;
  }
  void result.release();
  throw new ConfigurationError(
    `A limit of requests at once cannot be kept for a ${type} handler, whose end the guard does not see: use RateLimiter.run() in it.`,
  );
}
