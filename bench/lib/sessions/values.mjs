/** A session ends after so long without use, in all of them. */
export const IDLE_MS = 1_800_000;

/** What the sessions of the claims about speed hold, besides their user. None is longer than the 64 bytes up to which Redis packs a hash. */
export const ATTRIBUTES = {
  theme: 'dark',
  locale: 'en-GB',
  cart: [{ sku: 'LMP-0001', quantity: 2 }],
  visits: 12,
};

/** A user's name: all of them take six characters. */
export const userOf = (i) => `u${10_000 + i}`;

/** What express-session keeps of a cookie with a `maxAge`, in the session's JSON. */
export const cookieOf = (nowMs) => ({
  originalMaxAge: IDLE_MS,
  expires: new Date(nowMs + IDLE_MS).toISOString(),
  httpOnly: true,
  path: '/',
});
