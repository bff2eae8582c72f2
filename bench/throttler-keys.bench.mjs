// Claim: a caller of a strict window takes at most 160 bytes in Redis, whatever the limit is, and every key expires.
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from 'rookery/testing';
import { limiters, PACKAGES } from './lib/limiters/index.mjs';
import { openLimits } from './lib/limiters/rookery.mjs';
import { readArgs } from './lib/args.mjs';
import { header, limit, lines } from './lib/report.mjs';
import { sum } from './lib/stats.mjs';

/** A look at the keys is the same each time: there are no rounds. */
readArgs({ rounds: 1 });
const MOST_BYTES = 160;
const WINDOW_MS = 2_000;
/** The limit is used up in so many lots, spread over the window: a ring has counts all around then. */
const LOTS = 50;

const windowOf = (units, algorithm) => ({ limit: units, window: `${WINDOW_MS}ms`, algorithm });
const OURS = [
  ...[100, 1_000, 65_000, 1_000_000].map((units) => ({
    name: `strict window, limit ${units.toLocaleString('en')}`,
    units,
    policy: windowOf(units),
    isClaim: units <= 65_000,
  })),
  { name: 'GCRA, burst 1,000', units: 1_000, policy: { rate: '1000/m', burst: 1_000 } },
  { name: 'fixed window, limit 1,000', units: 1_000, policy: windowOf(1_000, 'fixed-window') },
  { name: 'sliding counter, limit 1,000', units: 1_000, policy: windowOf(1_000, 'sliding-counter') },
  { name: 'token bucket, capacity 1,000', units: 1_000, policy: { capacity: 1_000, refill: '100/10s' } },
  { name: 'sliding log, limit 100', units: 100, policy: windowOf(100, 'sliding-log') },
  { name: 'sliding log, limit 1,000', units: 1_000, policy: windowOf(1_000, 'sliding-log') },
  { name: '10 requests at once', units: 10, policy: { concurrent: 10 } },
];
const THEIRS = [
  { name: 'rate-limiter-flexible', limiter: 'rate-limiter-flexible' },
  { name: 'rate-limiter-flexible, of half a second', limiter: 'rate-limiter-flexible', windowMs: 500 },
  { name: '@nest-lab, storage', limiter: 'nest-lab' },
  { name: 'rate-limit-redis, store', limiter: 'rate-limit-redis' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('Keys of a caller that has used its limit, and was refused once', PACKAGES, redis);

const ours = await Promise.all(OURS.map((setup, i) => ourKeys(setup, `203.0.113.${100 + i}`)));
const theirs = await Promise.all(THEIRS.map((setup, i) => theirKeys(setup, `203.0.113.${200 + i}`)));
lines('rookery', ours.map(shown));
lines('others', theirs.map(shown));
for (const { name, bytes, isClaim } of ours) if (isClaim) limit(`${name}, bytes`, bytes, MOST_BYTES);
limit('keys of rookery without an end', sum(ours.map(({ endless }) => endless)), 0);
await redis.stop();

async function ourKeys({ units, policy, ...setup }, caller) {
  const { app, limiter } = await openLimits(node, { policies: [{ name: 'sustained', ...policy }] });
  const lots = Math.min(units, LOTS);
  for (let lot = 0; lot < lots; lot++) {
    const { admitted } = await limiter.consume('sustained', ['ip', caller], { cost: units / lots });
    if (!admitted) throw new Error(`${setup.name}: the limit was not to be reached before its last lot`);
    await sleep(WINDOW_MS / LOTS);
  }
  await limiter.consume('sustained', ['ip', caller], { cost: units / lots });
  const found = await keysOf(caller);
  await app.close();
  return { ...setup, ...found };
}

async function theirKeys({ name, limiter, windowMs = WINDOW_MS }, caller) {
  const { consume, close } = await limiters[limiter]({ redis: node, limit: 1_000, windowMs });
  for (let unit = 0; unit <= 1_000; unit++) await consume(caller);
  const found = await keysOf(caller);
  await close();
  return { name, ...found };
}

/** What Redis holds of the caller now. */
async function keysOf(caller) {
  const keys = await node.command('KEYS', `*${caller}*`);
  const bytes = await Promise.all(keys.map((key) => node.command('MEMORY', 'USAGE', key, 'SAMPLES', 0)));
  const ttls = await Promise.all(keys.map((key) => node.command('PTTL', key)));
  return { keys: keys.length, bytes: sum(bytes.map(Number)), endless: ttls.filter((ttl) => Number(ttl) === -1).length };
}

function shown({ name, keys, bytes, endless }) {
  const text = `${bytes.toLocaleString('en').padStart(8)} bytes in ${keys} ${keys === 1 ? 'key' : 'keys'}`;
  return [name, endless === 0 ? text : `${text}, ${endless} of which never expires`];
}
