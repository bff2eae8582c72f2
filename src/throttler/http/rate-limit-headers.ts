import type { HeaderFields } from '../../core/calls/response-headers.js';
import { serializeInteger, serializeString } from 'structured-headers';
import type { PolicyResult, RateLimitResult } from '../rate-limit-result.js';
import type { RateLimitHeaders } from '../throttler.options.js';

/** The unit of a quota that counts requests at once, as the draft registers it. */
const AT_ONCE = serializeString('concurrent-requests');

/**
 * The headers of an answer: `RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-10, lists of structured fields (RFC 9651), and
 * `X-RateLimit-*` on demand. Everything that knows the draft is in this file.
 *
 * - `RateLimit-Policy: "burst";q=20;w=1`: the quota, and the window in seconds. A limit of requests at once has `qu="concurrent-requests"` and no window.
 * - `RateLimit: "burst";r=5;t=1`: what remains, and in how many seconds it is whole again; of a policy that refuses, in how many there is room: what
 *   `Retry-After` says, too.
 * - Policies in shadow mode are not mentioned.
 */
export function rateLimitHeaders(
  result: RateLimitResult,
  { standard = true, legacy = false }: RateLimitHeaders,
): HeaderFields {
  const fields: [string, string][] = [];
  const shown = result.policies.filter(({ shadow }) => !shadow);
  if (standard && shown.length > 0) {
    fields.push(['RateLimit-Policy', shown.map(policyItem).join(', ')]);
    fields.push(['RateLimit', shown.map((policy) => limitItem(policy, result)).join(', ')]);
  }
  if (legacy && shown.length > 0) fields.push(...legacyFields(shown, result));
  if (!result.admitted) fields.push(['Retry-After', serializeInteger(retryAfterSeconds(result))]);
  return fields;
}

/** Whole seconds, rounded up, so that a client that obeys finds room. */
function retryAfterSeconds({ retryAfterMs }: Pick<RateLimitResult, 'retryAfterMs'>): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

/** Names are few and chosen by developers. */
const names = new Map<string, string>();

function nameItem(name: string): string {
  let item = names.get(name);
  if (item === undefined) {
    item = serializeString(name);
    names.set(name, item);
  }
  return item;
}

function policyItem({ name, limit, windowSeconds }: PolicyResult): string {
  const quota = `${nameItem(name)};q=${serializeInteger(limit)}`;
  return windowSeconds === undefined ? `${quota};qu=${AT_ONCE}` : `${quota};w=${serializeInteger(windowSeconds)}`;
}

function limitItem(policy: PolicyResult, result: RateLimitResult): string {
  const { name, remaining, windowSeconds } = policy;
  const item = `${nameItem(name)};r=${serializeInteger(remaining)}`;
  return windowSeconds === undefined ? item : `${item};t=${serializeInteger(secondsOf(policy, result))}`;
}

/** Of all the policies that refuse, a client waits for the longest: `t` of each says so. */
function secondsOf({ retryAfterMs, resetMs }: PolicyResult, result: RateLimitResult): number {
  return !result.admitted && retryAfterMs > 0 ? retryAfterSeconds(result) : Math.ceil(resetMs / 1_000);
}

function legacyFields(policies: readonly PolicyResult[], result: RateLimitResult): [string, string][] {
  const tightest = policies.reduce((least, policy) => (policy.remaining < least.remaining ? policy : least));
  return [
    ['X-RateLimit-Limit', serializeInteger(tightest.limit)],
    ['X-RateLimit-Remaining', serializeInteger(tightest.remaining)],
    ['X-RateLimit-Reset', serializeInteger(secondsOf(tightest, result))],
  ];
}
