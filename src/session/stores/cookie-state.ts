import { COOKIE, encode, isObject } from './session-content.js';

/** What the cookie of a session says about it. */
export interface CookieState {
  /** How it is set up, without when it expires, in JSON; empty without a cookie. */
  readonly settings: string;
  /** When it expires, in milliseconds since the epoch; empty when it does not. */
  readonly expires: string;
  /** For how long the session is to be kept; 0 when it has expired. */
  readonly ttlMs: number;
}

/** express-session computes `originalMaxAge` anew for each request, from two looks at the clock: it may be off by the time between them. */
const DRIFT_MS = 5;
/** Ten years: a cookie that expires later is somebody's way to say never. */
const LONGEST_MS = 10 * 365 * 86_400_000;

/**
 * What the session's cookie says. Without an expiry the session is kept for the cookie's `originalMaxAge`, and without that for `defaultMs`.
 *
 * @param before how it was set up before: what differs from that by the drift of the clock alone is no change
 * @throws {EncodeError}
 */
export function readCookie(session: object, before: string, nowMs: number, defaultMs: number): CookieState {
  const cookie: unknown = Reflect.get(session, COOKIE);
  if (!isObject(cookie)) return { settings: '', expires: '', ttlMs: defaultMs };
  const data = plain(cookie);
  // When it was to expire before this request, which Fastify's library keeps with it, is no setting either.
  const { expires, originalExpires: _, ...settings } = data;
  const maxAge = settings['originalMaxAge'];
  const expiresMs = timeOf(expires);
  if (expiresMs === null) {
    return {
      settings: settingsOf(settings, before),
      expires: '',
      ttlMs: Number.isFinite(maxAge) ? within(maxAge as number) : defaultMs,
    };
  }
  return { settings: settingsOf(settings, before), expires: String(expiresMs), ttlMs: within(expiresMs - nowMs) };
}

function plain(cookie: Record<string, unknown>): Record<string, unknown> {
  const data: unknown =
    typeof cookie['toJSON'] === 'function' ? (cookie['toJSON'] as () => unknown).call(cookie) : cookie;
  return isObject(data) ? data : {};
}

function settingsOf(settings: Record<string, unknown>, before: string): string {
  const json = encode(settings) ?? '';
  if (before === '' || json === before) return json;
  const { originalMaxAge: maxAge } = settings;
  const { originalMaxAge: maxAgeBefore } = JSON.parse(before) as Record<string, unknown>;
  if (typeof maxAge !== 'number' || typeof maxAgeBefore !== 'number') return json;
  if (Math.abs(maxAge - maxAgeBefore) > DRIFT_MS) return json;
  return encode({ ...settings, originalMaxAge: maxAgeBefore }) === before ? before : json;
}

function timeOf(expires: unknown): number | null {
  if (!(expires instanceof Date) && typeof expires !== 'string' && typeof expires !== 'number') return null;
  const timeMs = new Date(expires).getTime();
  return Number.isNaN(timeMs) ? null : timeMs;
}

function within(ttlMs: number): number {
  return Math.round(Math.min(Math.max(ttlMs, 0), LONGEST_MS));
}
