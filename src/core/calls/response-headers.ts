/** The media type of problem details, RFC 9457. */
export const PROBLEM_JSON = 'application/problem+json';

/** Names and values of headers, in the order in which they are set. */
export type HeaderFields = readonly (readonly [name: string, value: string])[];

/** Node's response, which Express' is, or Fastify's reply. */
interface AnyResponse {
  readonly setHeader?: (name: string, value: string) => unknown;
  readonly header?: (name: string, value: string) => unknown;
  readonly headersSent?: boolean;
  readonly raw?: Pick<AnyResponse, 'headersSent'>;
}

/** Sets headers, on whichever adapter's response, if they are not on their way already. */
export function setHeaders(response: unknown, fields: HeaderFields): void {
  const any = response as AnyResponse;
  if ((any.raw ?? any).headersSent === true) return;
  for (const [name, value] of fields) {
    if (any.setHeader !== undefined) any.setHeader(name, value);
    else any.header?.(name, value);
  }
}
