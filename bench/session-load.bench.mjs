// Claim: to load a session, its end put off and its token verified, costs about what a GET of its JSON costs, and less under load.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { goal, header, table } from './lib/report.mjs';
import { openSessionsApart, WORKERS } from './lib/session-work.mjs';
import { PACKAGES } from './lib/sessions/index.mjs';

const { rounds, quick } = readArgs({ rounds: 15 });
const GENERATIONS = quick ? 1 : 3;
const OPERATIONS = { 1: quick ? 2_000 : 4_000, [WORKERS]: quick ? 10_000 : 20_000 };
const LEAST = { 1: 0.9, [WORKERS]: 1.3 };
/** Each of their reads needs a session of its own, made before. */
const FIRST_OPERATIONS = 4_000;

const SETUPS = [
  { name: 'raw GET', sessions: 'raw' },
  { name: 'raw GET, PEXPIRE', sessions: 'raw', prolongs: 'after' },
  { name: 'raw GETEX', sessions: 'raw', prolongs: 'within' },
  { name: 'rookery', sessions: 'rookery' },
  { name: 'rookery, first read in the process', sessions: 'rookery', isFirst: true, operations: FIRST_OPERATIONS },
  { name: 'rookery, all ends due to be put off', sessions: 'rookery', isDue: true, operations: FIRST_OPERATIONS },
  { name: 'connect-redis, get and touch', sessions: 'connect-redis' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header('One of 10,000 sessions is loaded, and an attribute is read', PACKAGES, redis);

for (const concurrency of [1, WORKERS]) {
  await node.command('FLUSHALL');
  const open = (setup) => openSessionsApart(setup, 'loads', node, concurrency);
  const loads = [{ concurrency, operations: OPERATIONS[concurrency] }];
  const [results] = await compareApart(SETUPS, open, loads, rounds, GENERATIONS);
  table(`${concurrency} at once`, results);
  const ours = results.find(({ name }) => name === 'rookery');
  goal(`rookery against raw GET, ${concurrency} at once`, ours.ratio, LEAST[concurrency], ' x');
  console.log();
}
await redis.stop();
