import { setTimeout as sleep } from 'node:timers/promises';
import { Crew } from './crew.mjs';
import { sessions } from './sessions/index.mjs';
import { ATTRIBUTES, userOf } from './sessions/values.mjs';

/** Callers at once, at most. */
export const WORKERS = 64;

const SESSIONS = 10_000;

/** Sessions that are held to be changed. Each worker has its own, so that no two of them save the same at once. */
const HELD_PER_WORKER = 16;

/** A service that has run for a while has its code compiled, for as many callers at once as it has. */
const WARM_OPERATIONS = { 1: 15_000, [WORKERS]: 50_000 };

/** Where every read is to put an end off: its tenth is over when all sessions are made and so long has passed. */
const SHORT_IDLE_MS = 20_000;
const DUE_MS = SHORT_IDLE_MS / 10 + 50;

/** Opens what reads an attribute of random ones of 10,000 sessions, all of which it has read before. A setup is `{ name, sessions, prolongs, settings, isFirst, isDue }`. */
export async function openLoads(setup, redis) {
  if (setup.isFirst || setup.isDue) return openFirstLoads(setup, redis);
  const { create, read, close } = await open(setup, redis);
  const tokens = await many(SESSIONS, (i) => create(userOf(i), ATTRIBUTES));
  await many(SESSIONS, (i) => expectTheme(setup, read(tokens[i], 'theme')));
  const run = () => expectTheme(setup, read(tokens[Math.floor(Math.random() * SESSIONS)], 'theme'));
  return { run, close };
}

/** The same where every read is the first of its session in this process; with `isDue`, it also finds the session's end due to be put off. */
async function openFirstLoads(setup, redis) {
  const settings = setup.isDue ? { idleTimeout: `${SHORT_IDLE_MS}ms` } : {};
  const { create, read, close } = await open({ ...setup, settings }, redis);
  let tokens = [];
  const prepare = async (operations) => {
    tokens = await many(operations + WORKERS, (i) => create(userOf(i), ATTRIBUTES));
    if (setup.isDue) await sleep(DUE_MS);
  };
  return { run: () => expectTheme(setup, read(tokens.pop(), 'theme')), prepare, close };
}

/** Opens what changes an attribute of a session that is loaded already, and saves it. */
export async function openSaves(setup, redis) {
  const { create, open: openOne, close } = await open(setup, redis);
  const held = await many(WORKERS * HELD_PER_WORKER, async (i) => openOne(await create(userOf(i), ATTRIBUTES)));
  let visits = 0;
  const run = async (worker, i) => {
    const session = held[worker * HELD_PER_WORKER + (i % HELD_PER_WORKER)];
    visits += 1;
    session.set('visits', visits);
    if (!(await session.save())) throw new Error(`${setup.name}: the session was to be there`);
  };
  return { run, close };
}

/** Opens one of them in a process of its own, which is warm for so many callers at once. `kind` is `'loads'` or `'saves'`. */
export async function openSessionsApart(setup, kind, { host, port }, concurrency) {
  const config = { setup, kind, redis: { host, port } };
  const crew = await Crew.start(new URL('../workers/sessions.mjs', import.meta.url), 1, config);
  const rate = async (operations, callers) => (await crew.ask('rate', { operations, concurrency: callers }))[0];
  await rate(WARM_OPERATIONS[concurrency], concurrency);
  return { name: setup.name, operations: setup.operations, rate, close: () => crew.stop() };
}

function open({ sessions: library, prolongs, settings }, redis) {
  return sessions[library]({ redis, prolongs, settings });
}

async function expectTheme({ name }, reading) {
  if ((await reading) !== ATTRIBUTES.theme) throw new Error(`${name}: the session was to be there`);
}

/** So many results of `make`, some of them at once. */
export async function many(count, make) {
  const made = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < count; i = next++) made[i] = await make(i);
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return made;
}
