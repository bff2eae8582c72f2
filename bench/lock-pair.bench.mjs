// Claim: to take a free lock and give it back costs what the least that a lock can be costs, and less under load; each of the two is one round trip.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { PACKAGES } from './lib/lockers/index.mjs';
import { openPairs, openPairsApart, WORKERS } from './lib/pairs.mjs';
import { goal, header, limit, lines, table } from './lib/report.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const GENERATIONS = quick ? 1 : 3;
const PAIRS_COUNTED = 100;
const OPERATIONS = { 1: quick ? 1_500 : 3_000, [WORKERS]: quick ? 8_000 : 16_000 };
const LEAST = { 1: 1, [WORKERS]: 1.2 };

const SETUPS = [
  { name: 'raw SET NX PX, EVALSHA', locker: 'raw' },
  { name: 'rookery', locker: 'rookery' },
  { name: 'redis-semaphore, Mutex', locker: 'redis-semaphore' },
  { name: 'redlock 4', locker: 'redlock-4' },
  { name: 'redlock 5', locker: 'redlock-5' },
  { name: '@sesamecare-oss/redlock', locker: 'sesamecare' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('A free lock is taken and given back, one of 1,024', PACKAGES, redis);

for (const concurrency of [1, WORKERS]) {
  await node.command('FLUSHALL');
  const open = (setup) => openPairsApart(setup, node, concurrency);
  const loads = [{ concurrency, operations: OPERATIONS[concurrency] }];
  const [results] = await compareApart(SETUPS, open, loads, rounds, GENERATIONS);
  table(`${concurrency} at once, pairs`, results);
  const ours = results.find(({ name }) => name === 'rookery');
  goal(`rookery against raw, ${concurrency} at once`, ours.ratio, LEAST[concurrency], ' x');
  console.log();
}
await countTrips();
await redis.stop();

async function countTrips() {
  const costs = new Map();
  for (const setup of SETUPS) costs.set(setup.name, await costsOf(setup));
  const rows = [...costs].map(([name, { acquire, release }]) => [
    name,
    `${shown(acquire)} to take it; ${shown(release)} to give it back`,
  ]);
  lines('What a pair sends, one caller', rows);
  const { acquire, release } = costs.get('rookery');
  limit('rookery, trips to take it', acquire.trips, 1);
  limit('rookery, trips to give it back', release.trips, 1);
  limit('rookery, commands of a pair', acquire.commands + release.commands, 2);
}

/** Trips and commands of each of the two, after the first ones. */
async function costsOf(setup) {
  const tap = await WireTap.before(node);
  const { acquire, release, close } = await openPairs(setup, tap);
  const held = [];
  const acquireNext = async (i) => held.push(await acquire(0, i));
  const releaseNext = () => release(held.pop());
  for (let i = 0; i < PAIRS_COUNTED; i++) await acquireNext(i);
  for (let i = 0; i < PAIRS_COUNTED; i++) await releaseNext();
  const costs = { acquire: await costOf(tap, acquireNext), release: await costOf(tap, releaseNext) };
  await close();
  tap.stop();
  return costs;
}

async function costOf(tap, run) {
  const { trips, commands } = await tap.during(async () => {
    for (let i = 0; i < PAIRS_COUNTED; i++) await run(i);
  });
  return { trips: trips / PAIRS_COUNTED, commands: commands / PAIRS_COUNTED };
}

function shown({ trips, commands }) {
  return `${trips.toFixed(2)} trips, ${commands.toFixed(2)} commands`;
}
