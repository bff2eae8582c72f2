// Claim: a decision costs about what the smallest script costs, and less under load; eight policies, the block list and a slot are one round trip.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { GCRA, openDecisions, openLimiterApart, THREE, WINDOW, WORKERS } from './lib/decisions.mjs';
import { PACKAGES } from './lib/limiters/index.mjs';
import { openLimits } from './lib/limiters/rookery.mjs';
import { goal, header, limit, lines, table } from './lib/report.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const GENERATIONS = quick ? 1 : 3;
const DECISIONS_COUNTED = 100;
const OPERATIONS = { 1: quick ? 2_000 : 4_000, [WORKERS]: quick ? 10_000 : 20_000 };

const SETUPS = [
  { name: 'raw EVALSHA, INCR + PEXPIRE', limiter: 'raw' },
  { name: 'rookery, GCRA', limiter: 'rookery', policies: [GCRA], least: { 1: 0.9, [WORKERS]: 1.4 } },
  { name: 'rookery, strict window', limiter: 'rookery', policies: [WINDOW], least: { 1: 0.7, [WORKERS]: 1 } },
  { name: 'rookery, 3 policies', limiter: 'rookery', policies: THREE },
  { name: 'rate-limiter-flexible', limiter: 'rate-limiter-flexible' },
  { name: '@nest-lab, storage', limiter: 'nest-lab' },
  { name: 'rate-limit-redis, store', limiter: 'rate-limit-redis' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('A decision in Redis, for one of 1,000 callers', PACKAGES, redis);

for (const concurrency of [1, WORKERS]) {
  await node.command('FLUSHALL');
  const open = (setup) => openLimiterApart(setup, 'decisions', node, concurrency);
  const loads = [{ concurrency, operations: OPERATIONS[concurrency] }];
  const [results] = await compareApart(SETUPS, open, loads, rounds, GENERATIONS);
  table(`${concurrency} at once`, results);
  SETUPS.forEach(({ name, least }, i) => {
    if (least !== undefined) goal(`${name} against raw`, results[i].ratio, least[concurrency]);
  });
  console.log();
}
await countTrips();
await redis.stop();

async function countTrips() {
  const rows = [];
  for (const setup of SETUPS) {
    const tap = await WireTap.before(node);
    const { run, close } = await openDecisions(setup, tap);
    const cost = await costOf(tap, (i) => run(0, i));
    rows.push([setup.name, shown(cost)]);
    await close();
    tap.stop();
  }
  const tap = await WireTap.before(node);
  const { app, limiter } = await openLimits(tap, { policies: eightPolicies() });
  const names = eightPolicies().map(({ name }) => name);
  const held = [];
  const eight = await costOf(tap, async () => held.push(await limiter.consume(names, ['ip', '203.0.113.7'])));
  const slots = held.splice(0);
  const given = await costOf(tap, (i) => slots[i].release(), 0);
  await limiter.block(['ip', '203.0.113.8'], '1h');
  const blocked = await costOf(tap, () => limiter.consume(names, ['ip', '203.0.113.8']));
  await app.close();
  tap.stop();
  rows.push(['rookery, 8 policies, one of slots', shown(eight)]);
  rows.push(['rookery, a slot given back', shown(given)]);
  rows.push(['rookery, a caller that is blocked', shown(blocked)]);
  lines('What one decision sends, one caller', rows);
  limit('trips for 8 policies, the block list and a slot', Math.round(eight.trips), 1);
  limit('trips for a caller that is known to be blocked', blocked.trips, 0);
}

/** Trips and commands of one call, after the first ones. */
async function costOf(tap, run, warm = DECISIONS_COUNTED) {
  for (let i = 0; i < warm; i++) await run(i);
  const cost = await tap.during(async () => {
    for (let i = 0; i < DECISIONS_COUNTED; i++) await run(i);
  });
  return { trips: cost.trips / DECISIONS_COUNTED, commands: cost.commands / DECISIONS_COUNTED };
}

function shown({ trips, commands }) {
  return `${trips.toFixed(2)} trips, ${commands.toFixed(2)} commands`;
}

function eightPolicies() {
  const windows = [1, 5, 10, 15, 30, 60].map((minutes) => ({
    name: `in-${minutes}m`,
    limit: 10_000,
    window: `${minutes}m`,
  }));
  return [...windows, GCRA, { name: 'at-once', concurrent: 1_000 }];
}
