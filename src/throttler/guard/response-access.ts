import { setHeaders, type HeaderFields } from '../../core/calls/response-headers.js';
import type { RateLimitResult } from '../rate-limit-result.js';

/** Node's response, which Express' is, or Fastify's reply. */
interface AnyResponse {
  readonly getHeader?: (name: string) => unknown;
  readonly once?: (event: string, listener: () => void) => unknown;
  readonly destroyed?: boolean;
  readonly raw?: Pick<AnyResponse, 'once' | 'destroyed'>;
}

/** Sets the headers of one of several calls that are answered together: the answer tells of the one that has to wait longest. */
export function setHeadersBeside(response: unknown, fields: HeaderFields): void {
  const said = Number((response as AnyResponse).getHeader?.('Retry-After') ?? 0);
  const wait = Number(fields.find(([name]) => name === 'Retry-After')?.[1] ?? 0);
  if (!(said > wait)) setHeaders(response, fields);
}

/** Whether it can be seen that the answer has been sent. */
export function hasEnd(response: unknown): boolean {
  const any = response as AnyResponse | undefined;
  return (any?.raw ?? any)?.once !== undefined;
}

/** Gives slots back when the answer has been sent, or its connection is gone. For what {@link hasEnd}. */
export function releaseWhenAnswered(response: unknown, result: RateLimitResult): void {
  const any = response as AnyResponse;
  const raw = any.raw ?? any;
  // Who has left while it was decided does not leave once more.
  if (raw.destroyed === true) void result.release();
  else raw.once?.('close', () => void result.release());
}
