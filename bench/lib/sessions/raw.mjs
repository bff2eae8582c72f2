import { randomBytes } from 'node:crypto';
import { connect } from '../redis-client.mjs';
import { IDLE_MS } from './values.mjs';

/** How the end of a session that is read is put off: not at all, by a second command, or by the command that reads it. */
const READS = {
  never: (client) => (key) => client.get(key),
  after: (client) => async (key) => {
    const json = await client.get(key);
    await client.pexpire(key, IDLE_MS);
    return json;
  },
  within: (client) => (key) => client.getex(key, 'PX', IDLE_MS),
};

/** See {@link sessions}. The least that a session can be: its JSON below a key that expires. */
export async function openRaw({ redis, prolongs = 'never' }) {
  const client = await connect(redis);
  const read = READS[prolongs](client);
  const keyOf = (id) => `shop:session:${id}`;
  const write = (id, session) => client.set(keyOf(id), JSON.stringify(session), 'PX', IDLE_MS);
  return {
    async create(user, attributes) {
      const id = randomBytes(32).toString('base64url');
      await write(id, { user, ...attributes });
      return id;
    },
    async read(id, name) {
      const json = await read(keyOf(id));
      return json === null ? undefined : JSON.parse(json)[name];
    },
    async open(id) {
      const session = JSON.parse(await read(keyOf(id)));
      return {
        set: (name, value) => (session[name] = value),
        save: async () => (await write(id, session)) === 'OK',
        destroy: () => client.del(keyOf(id)),
      };
    },
    close: async () => client.disconnect(),
  };
}
