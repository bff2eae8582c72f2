import { describe, expect, it } from '@jest/globals';
import { setHeaders } from '../../core/calls/response-headers.js';
import { setHeadersBeside } from './response-access.js';

/** A response of Node's kind, as far as headers go. */
function response(headersSent = false) {
  const headers = new Map<string, string>();
  const setHeader = (name: string, value: string) => headers.set(name, value);
  return { headers, headersSent, setHeader, getHeader: (name: string) => headers.get(name) };
}

const fields = (limit: string, retryAfter?: string): [string, string][] => [
  ['RateLimit', limit],
  ...(retryAfter === undefined ? [] : [['Retry-After', retryAfter] as [string, string]]),
];

describe('headers', () => {
  it('are left out when the head of the answer has been sent, on Fastify too', () => {
    for (const sent of [response(true), { ...response(), raw: { headersSent: true } }]) {
      setHeaders(sent, fields('a'));
      expect(sent.headers.size).toBe(0);
    }
  });

  it('of calls that are answered together are those of the one that has to wait longest', () => {
    const answer = response();
    for (const [limit, retryAfter] of [['b'], ['c', '9'], ['d', '10'], ['e', '9'], ['f']] as const) {
      setHeadersBeside(answer, fields(limit, retryAfter));
    }
    expect([...answer.headers]).toEqual(fields('d', '10'));
  });

  it('of calls that all have room are those of the last', () => {
    const answer = response();
    setHeadersBeside(answer, fields('a'));
    setHeadersBeside(answer, fields('b'));
    expect([...answer.headers]).toEqual(fields('b'));
  });
});
