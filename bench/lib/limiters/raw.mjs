import { connect } from '../redis-client.mjs';

const HIT = `local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return n`;

/** See {@link limiters}. The least that a script can do: a counter that expires. */
export async function openRaw({ redis, limit, windowMs }) {
  const client = await connect(redis);
  client.defineCommand('hit', { numberOfKeys: 1, lua: HIT });
  return {
    consume: async (caller) => (await client.hit(`shop:limit:${caller}`, windowMs)) <= limit,
    close: async () => client.disconnect(),
  };
}
