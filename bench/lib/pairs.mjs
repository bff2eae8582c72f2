import { Crew } from './crew.mjs';
import { lockers } from './lockers/index.mjs';

/** Callers at once, at most. */
export const WORKERS = 64;

const TTL_MS = 30_000;
const WAIT_MS = 10_000;

/** Names of locks. Each worker begins at another one, so that no two of them want the same at once. */
const NAMES = Array.from({ length: 1_024 }, (_, i) => `order:${10_000 + i}`);
const NAMES_PER_WORKER = NAMES.length / WORKERS;

/** A service that has run for a while has its code compiled, for as many callers at once as it has. */
const WARM_OPERATIONS = { 1: 15_000, [WORKERS]: 50_000 };

/** Opens what takes a free lock and gives it back. A setup is `{ name, locker }`. */
export async function openPairs({ locker }, redis) {
  const { acquire, release, close } = await lockers[locker]({ redis, ttlMs: TTL_MS, waitMs: WAIT_MS });
  const acquireOne = (worker, i) => acquire(nameOf(worker, i));
  const run = async (worker, i) => release(await acquireOne(worker, i));
  return { acquire: acquireOne, release, run, close };
}

function nameOf(worker, i) {
  return NAMES[(worker * NAMES_PER_WORKER + i) % NAMES.length];
}

/** Opens one of them in a process of its own, which is warm for so many callers at once. */
export async function openPairsApart(setup, { host, port }, concurrency) {
  const crew = await Crew.start(new URL('../workers/lock-pair.mjs', import.meta.url), 1, {
    setup,
    redis: { host, port },
  });
  const rate = async (operations, callers) => (await crew.ask('rate', { operations, concurrency: callers }))[0];
  await rate(WARM_OPERATIONS[concurrency], concurrency);
  return { name: setup.name, operations: setup.operations, rate, close: () => crew.stop() };
}
