import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { connect } from '../redis-client.mjs';

/** See {@link limiters}. A fixed window; a refusal is a rejection with what it knows of the caller. */
export async function openRateLimiterFlexible({ redis, limit, windowMs, settings }) {
  const client = await connect(redis);
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: 'shop',
    points: limit,
    duration: windowMs / 1_000,
    ...settings,
  });
  return {
    consume: (caller) => limiter.consume(caller).then(isAdmitted, isRefused),
    counted: async (caller) => (await limiter.get(caller)).consumedPoints,
    close: async () => client.disconnect(),
  };
}

const isAdmitted = () => true;

function isRefused(reason) {
  if (reason instanceof RateLimiterRes) return false;
  throw reason;
}
