import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '../lib/crew.mjs';
import { sessions } from '../lib/sessions/index.mjs';

/** Requests under way at once in this process. */
const AT_ONCE = 16;
/** A request that changes something takes up to so long between its reading the session and its writing it. */
const MOST_MS = 3;

/** Requests of one process: it does the same to each of the sessions of a list, while another process goes through the same list. */
serve(async ({ library, redis }) => {
  const { create, open, read, close } = await sessions[library]({ redis });
  const each = async (list, work) => {
    let next = 0;
    const go = async () => {
      for (let i = next++; i < list.length; i = next++) await work(list[i]);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, go));
  };
  /** What a request does that has loaded the session, and takes its time. */
  const request = (token, end) =>
    open(token).then(async (session) => {
      if (session === null) return;
      await sleep(Math.random() * MOST_MS);
      await end(session);
    });
  return {
    create: async ({ count, attributes }) => {
      const tokens = [];
      await each(
        Array.from({ length: count }, (_, i) => i),
        async (i) => (tokens[i] = await create(`u${i}`, attributes)),
      );
      return tokens;
    },
    change: ({ tokens, name }) =>
      each(tokens, (token) =>
        request(token, (session) => {
          session.set(name, 1);
          return session.save();
        }),
      ),
    logOut: ({ tokens }) => each(tokens, (token) => request(token, (session) => session.destroy())),
    /** How many of the sessions hold all of these attributes. */
    holding: async ({ tokens, names }) => {
      let count = 0;
      await each(tokens, async (token) => {
        const values = await Promise.all(names.map((name) => read(token, name)));
        if (values.every((value) => value === 1)) count += 1;
      });
      return count;
    },
    close,
  };
});
