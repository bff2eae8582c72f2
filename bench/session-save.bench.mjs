// Claim: to save what has changed in a session costs about what it costs to write the whole of it, though a session that has ended is not brought back.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { goal, header, table } from './lib/report.mjs';
import { openSessionsApart, WORKERS } from './lib/session-work.mjs';
import { PACKAGES } from './lib/sessions/index.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const GENERATIONS = quick ? 1 : 3;
const OPERATIONS = { 1: quick ? 2_000 : 4_000, [WORKERS]: quick ? 10_000 : 20_000 };
const LEAST = { 1: 0.9, [WORKERS]: 1 };

const SETUPS = [
  { name: 'raw SET PX', sessions: 'raw' },
  { name: 'rookery', sessions: 'rookery' },
  { name: 'connect-redis, set', sessions: 'connect-redis' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('An attribute of a session is changed and saved, one of 1,024', PACKAGES, redis);

for (const concurrency of [1, WORKERS]) {
  await node.command('FLUSHALL');
  const open = (setup) => openSessionsApart(setup, 'saves', node, concurrency);
  const loads = [{ concurrency, operations: OPERATIONS[concurrency] }];
  const [results] = await compareApart(SETUPS, open, loads, rounds, GENERATIONS);
  table(`${concurrency} at once`, results);
  const ours = results.find(({ name }) => name === 'rookery');
  goal(`rookery against raw SET, ${concurrency} at once`, ours.ratio, LEAST[concurrency], ' x');
  console.log();
}
await redis.stop();
