import { compareApart } from './apart.mjs';
import { allContenders } from './contenders/index.mjs';
import { Crew } from './crew.mjs';
import { slug } from './values.mjs';

/** Callers at once, at most. */
export const WORKERS = 64;

/** Each worker has keys of its own, so that no contender gains by joining requests for the same key. */
const KEYS_PER_WORKER = 4;

/** A service that has run for a while has its code compiled. */
const WARM_OPERATIONS = 50_000;

/** Short-lived, so that the rounds before do not weigh on the server. */
const MISS_TTL_MS = 20_000;

/**
 * Opens what reads nothing but hits: every key is there before it is read, and a load in the measurement fails the bench.
 *
 * A setup is `{ name, contender, tier, tags, settings }`.
 */
export async function openHits({ name, contender, ...setup }, redis, value) {
  let isFilled = false;
  const load = () => {
    if (isFilled) throw new Error(`${name}: a hit was expected`);
    return value;
  };
  const { read, close } = await allContenders[contender]({ redis, tier: 'redis', ...setup, load });
  // A contender's keys are its own.
  const prefix = slug(name);
  const run = (worker, i) => read(`${prefix}-key-${worker * KEYS_PER_WORKER + (i % KEYS_PER_WORKER)}`);
  for (let worker = 0; worker < WORKERS; worker++) {
    for (let i = 0; i < KEYS_PER_WORKER; i++) await run(worker, i);
  }
  isFilled = true;
  return { name, run, close };
}

/** Opens what reads nothing but misses: every read asks for a new key. */
export async function openMisses({ name, contender, ...setup }, redis, value) {
  const options = { redis, tier: 'redis', ttlMs: MISS_TTL_MS, ...setup, load: () => value };
  const { read, close } = await allContenders[contender](options);
  const prefix = `${slug(name)}-${redis.port}`;
  let next = 0;
  const run = () => {
    next += 1;
    return read(`${prefix}-${next}`);
  };
  return { name, run, close };
}

/** Compares the setups, each in a process of its own. `kind` is `'hits'` or `'misses'`. */
export function compareReads(setups, kind, redis, value, loads, rounds) {
  return compareApart(setups, (setup) => openApart(setup, kind, redis, value), loads, rounds);
}

async function openApart(setup, kind, { host, port }, value) {
  const config = { setup, kind, redis: { host, port }, value };
  const crew = await Crew.start(new URL('../workers/reads.mjs', import.meta.url), 1, config);
  const rate = async (operations, concurrency) => (await crew.ask('rate', { operations, concurrency }))[0];
  await rate(WARM_OPERATIONS, WORKERS);
  return { name: setup.name, rate, close: () => crew.stop() };
}
