import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { Redis } from 'ioredis';

/** See {@link contenders}. With both tiers it has its bus too. `isolates: false` hands every caller the same mutable object. */
export async function openBentocache({ redis, tier, load, tags = [], ttlMs = 3_600_000, isolates = true }) {
  const connection = { host: redis.host, port: redis.port };
  let store = bentostore();
  if (tier !== 'redis') store = store.useL1Layer(memoryDriver({ maxItems: 1_000_000, serialize: isolates }));
  if (tier !== 'memory') store = store.useL2Layer(redisDriver({ connection: quiet(new Redis(connection)) }));
  if (tier === 'both') store = store.useBus(redisBusDriver({ connection }));
  const bento = new BentoCache({ default: 'cache', stores: { cache: store }, ttl: ttlMs });
  return {
    read: (key) => bento.getOrSet({ key: String(key), tags, factory: () => load(key) }),
    invalidateTags: (changed) => bento.deleteByTag({ tags: changed }),
    close: () => bento.disconnectAll(),
  };
}

/** ioredis prints errors that nobody listens to. */
function quiet(client) {
  client.on('error', () => undefined);
  return client;
}
