import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { connect } from '../redis-client.mjs';

/** See {@link limiters}. The storage of `@nestjs/throttler`, asked as its guard asks it. */
export async function openNestLab({ redis, limit, windowMs }) {
  const client = await connect(redis);
  const storage = new ThrottlerStorageRedisService(client);
  return {
    consume: async (caller) => !(await storage.increment(caller, windowMs, limit, windowMs, 'sustained')).isBlocked,
    counted: async (caller) => Number(await client.get(`{${caller}:sustained}:hits`)),
    close: async () => client.disconnect(),
  };
}
