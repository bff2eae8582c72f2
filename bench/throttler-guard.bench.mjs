// Claim: with one caller, the whole guard takes little longer than the smallest script does by itself.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { Crew } from './lib/crew.mjs';
import { GCRA, THREE, WINDOW } from './lib/decisions.mjs';
import { header, limit, lines } from './lib/report.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const GENERATIONS = quick ? 1 : 3;
const WARM_CALLS = 15_000;
const CALLS = quick ? 2_000 : 4_000;
const MOST = 1.25;

const SETUPS = [
  { name: 'raw EVALSHA, INCR + PEXPIRE', limiter: 'raw' },
  { name: 'rookery guard, GCRA', isGuard: true, policies: [GCRA] },
  { name: 'rookery guard, strict window', isGuard: true, policies: [WINDOW] },
  { name: 'rookery guard, 3 policies', isGuard: true, policies: THREE },
  { name: 'RateLimiter.consume, GCRA', limiter: 'rookery', policies: [GCRA] },
  { name: 'rate-limiter-flexible', limiter: 'rate-limiter-flexible' },
];

const redis = await startRedis();
const [{ host, port }] = redis.nodes;
header('canActivate() of a guard, one caller', ['rookery', 'ioredis', '@nestjs/core', 'rate-limiter-flexible'], redis);

const [results] = await compareApart(SETUPS, open, [{ concurrency: 1, operations: CALLS }], rounds, GENERATIONS);
lines(
  'p50 of a decision',
  results.map(({ name, perSecond, ratio }) => [
    name,
    `${(1e6 / perSecond).toFixed(1).padStart(8)} µs   ${(1 / ratio).toFixed(2)} x raw`,
  ]),
);
SETUPS.forEach(({ name, isGuard }, i) => {
  if (isGuard) limit(`${name}, p50 against raw`, 1 / results[i].ratio, MOST, ' x');
});
await redis.stop();

/** Each works in a process of its own; its rate is that of calls of median length. */
async function open(setup) {
  const worker = new URL('./workers/throttler-guard.mjs', import.meta.url);
  const crew = await Crew.start(worker, 1, { setup, redis: { host, port } });
  const rate = async (calls) => 1e6 / (await crew.ask('p50', calls))[0];
  await rate(WARM_CALLS);
  return { name: setup.name, rate, close: () => crew.stop() };
}
