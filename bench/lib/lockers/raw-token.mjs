import { connect } from '../redis-client.mjs';

/**
 * See {@link lockers}. The least that a handover can be: a token in a list, for which the server itself keeps the queue. No lease, so it is no lock to use: when a
 * holder dies, or a waiter as it is served, nobody has the token ever again. Whoever waits needs a connection of its own.
 */
export async function openRawToken({ redis, ttlMs, waitMs }) {
  const client = await connect(redis);
  const idle = [];
  const blocked = new Set();
  return {
    async acquire(name) {
      const key = `shop:token:${name}`;
      // Whoever comes first makes the token, and has it.
      if ((await client.set(`${key}:made`, 1, 'PX', ttlMs, 'NX')) !== null) return key;
      const waiting = idle.pop() ?? (await connect(redis));
      blocked.add(waiting);
      const served = await waiting.blpop(key, waitMs / 1_000);
      idle.push(waiting);
      if (served === null) throw new Error('raw: the token was to come');
      return key;
    },
    release: (key) => client.rpush(key, 1),
    async close() {
      for (const one of [client, ...blocked]) one.disconnect();
    },
  };
}
