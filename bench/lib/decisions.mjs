import { Crew } from './crew.mjs';
import { limiters } from './limiters/index.mjs';

/** Callers at once, at most. */
export const WORKERS = 64;

/** What nobody exhausts: a bench makes some thousand decisions a minute about each caller. */
export const LIMIT = 60_000;
export const WINDOW_MS = 60_000;

/** Addresses. Each worker begins at another one, so that no two of them ask about the same caller at once. */
export const CALLERS = Array.from({ length: 1_000 }, (_, i) => `203.0.${i >> 8}.${i & 255}`);
const CALLERS_PER_WORKER = Math.floor(CALLERS.length / WORKERS);

/** A service that has run for a while has its code compiled, for as many callers at once as it has. */
const WARM_OPERATIONS = { 1: 15_000, [WORKERS]: 50_000 };

/** Ours, as a service would have them. The slow rate is on purpose: a caller that is all paid up has no key, which would be cheaper. */
export const GCRA = { name: 'steady', rate: '10/m', burst: LIMIT };
export const WINDOW = { name: 'sustained', limit: LIMIT, window: '1m' };
export const THREE = [{ name: 'burst', limit: 10_000, window: '1s' }, WINDOW, GCRA];

/** Opens what is never refused: a refusal in the measurement fails the bench. A setup is `{ name, limiter, policies, settings }`. */
export async function openDecisions({ name, limiter, ...setup }, redis) {
  const { consume, close } = await limiters[limiter]({ redis, limit: LIMIT, windowMs: WINDOW_MS, ...setup });
  const run = async (worker, i) => {
    if (!(await consume(callerOf(worker, i)))) throw new Error(`${name}: nobody was to be refused`);
  };
  return { run, close };
}

/** Opens what is always refused: each caller has had the one that it may have in an hour. */
export async function openRefusals({ name, limiter, ...setup }, redis) {
  const policies = [{ name: 'once', limit: 1, window: '1h' }];
  const { consume, close } = await limiters[limiter]({ redis, limit: 1, windowMs: 3_600_000, policies, ...setup });
  for (const caller of CALLERS) {
    // The second is refused, and with it is known that others will be.
    await consume(caller);
    await consume(caller);
  }
  const run = async (worker, i) => {
    if (await consume(callerOf(worker, i))) throw new Error(`${name}: everybody was to be refused`);
  };
  return { run, close };
}

function callerOf(worker, i) {
  return CALLERS[(worker * CALLERS_PER_WORKER + i) % CALLERS.length];
}

/** Opens one of them in a process of its own, which is warm for so many callers at once. `kind` is `'decisions'` or `'refusals'`. */
export async function openLimiterApart(setup, kind, { host, port }, concurrency) {
  const config = { setup, kind, redis: { host, port } };
  const crew = await Crew.start(new URL('../workers/throttler-consume.mjs', import.meta.url), 1, config);
  const rate = async (operations, callers) => (await crew.ask('rate', { operations, concurrency: callers }))[0];
  await rate(WARM_OPERATIONS[concurrency], concurrency);
  return { name: setup.name, operations: setup.operations, rate, close: () => crew.stop() };
}
