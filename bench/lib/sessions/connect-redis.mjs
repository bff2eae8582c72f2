import { randomBytes } from 'node:crypto';
import { RedisStore } from 'connect-redis';
import { connectNodeRedis } from './node-redis.mjs';
import { cookieOf } from './values.mjs';

/** See {@link sessions}. The store of express-session, called as express-session calls it: a request gets a session, and touches it when nothing has changed. */
export async function openConnectRedis({ redis }) {
  const client = await connectNodeRedis(redis);
  const store = new RedisStore({ client, prefix: 'shop:session:' });
  return {
    store,
    async create(user, attributes) {
      const id = randomBytes(24).toString('base64url');
      await store.set(id, { cookie: cookieOf(Date.now()), user, ...attributes });
      return id;
    },
    async read(id, name) {
      const session = await store.get(id);
      if (session === null) return undefined;
      await store.touch(id, session);
      return session[name];
    },
    async open(id) {
      const session = await store.get(id);
      if (session === null) return null;
      return {
        set: (name, value) => (session[name] = value),
        async save() {
          await store.set(id, session);
          return true;
        },
        destroy: () => store.destroy(id),
      };
    },
    close: async () => client.destroy(),
  };
}
