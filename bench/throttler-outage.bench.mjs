// Claim: when Redis freezes, every request is decided within the deadline, and what was decided without Redis is not counted when it comes back.
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { capped } from './lib/clock.mjs';
import { limiters, PACKAGES } from './lib/limiters/index.mjs';
import { openLimits } from './lib/limiters/rookery.mjs';
import { header, limit, lines } from './lib/report.mjs';
import { median, quantile, sum } from './lib/stats.mjs';

const { rounds } = readArgs({ rounds: 10, quickRounds: 3 });
const CALLER = '203.0.113.7';
const LIMIT = 1_000;
const WINDOW_MS = 3_600_000;
const DEADLINE_MS = 50;
/** What a busy machine may add to a deadline. */
const GRACE_MS = 10;
/** What is not decided by then is not waited for. */
const LONGEST_MS = 3_000;
const BEFORE = 20;
const FIRST_AT_ONCE = 16;
const LATER = 100;
const PAUSE_MS = 20;
/** By then a server that goes on has done what lay in its connections. */
const SETTLED_MS = 1_000;
const PEERS = ['rate-limiter-flexible', 'nest-lab', 'rate-limit-redis'];

process.on('unhandledRejection', () => undefined);
const redis = await startRedis();
const [node] = redis.nodes;
header(`Redis is frozen: ${FIRST_AT_ONCE} requests at once, then one after the other`, PACKAGES, redis);

const ours = await outages('rookery', openRookery, rounds);
const theirs = [];
for (const name of PEERS) {
  const open = () => limiters[name]({ redis: node, limit: LIMIT, windowMs: WINDOW_MS });
  theirs.push(await outages(name, open, 1));
}
lines('Decisions while Redis is frozen', [ours, ...theirs].map(shown));
limit('first ones, the slowest', Math.max(...ours.first), DEADLINE_MS + GRACE_MS, ' ms');
limit('further ones, p99', quantile(ours.later, 0.99), DEADLINE_MS + GRACE_MS, ' ms');
limit('further ones, the slowest', Math.max(...ours.later), DEADLINE_MS + GRACE_MS, ' ms');
limit('counted though decided without Redis', ours.countedLate, 0);
await redis.stop();

/** Ours, with its default deadline. */
async function openRookery() {
  const policies = [{ name: 'sustained', limit: LIMIT, window: '1h' }];
  const { app, limiter } = await openLimits(node, { policies, redisDeadline: `${DEADLINE_MS}ms` });
  return {
    consume: (caller) => limiter.consume('sustained', ['ip', caller]),
    counted: async (caller) => LIMIT - (await limiter.peek('sustained', ['ip', caller])).policies[0].remaining,
    close: () => app.close(),
  };
}

async function outages(name, open, times) {
  const measured = [];
  for (let round = 0; round < times; round++) measured.push(await outage(open));
  return {
    name,
    first: measured.flatMap(({ first }) => first),
    later: measured.flatMap(({ later }) => later),
    countedLate: sum(measured.map(({ countedLate }) => countedLate)),
  };
}

async function outage(open) {
  await node.command('FLUSHALL');
  const { consume, counted, close } = await open();
  for (let i = 0; i < BEFORE; i++) await consume(CALLER);
  await node.pause();
  const first = await Promise.all(Array.from({ length: FIRST_AT_ONCE }, () => timeOf(consume)));
  const later = [];
  for (let i = 0; i < LATER; i++) {
    later.push(await timeOf(consume));
    if (later.at(-1) >= LONGEST_MS) break;
    await sleep(PAUSE_MS);
  }
  await node.resume();
  await sleep(SETTLED_MS);
  const countedLate = (await eventually(() => counted(CALLER))) - BEFORE;
  await close();
  return { first, later, countedLate };
}

/** LONGEST_MS for what took longer, and for what failed without a decision. */
async function timeOf(consume) {
  const startedMs = performance.now();
  const decided = await capped(
    consume(CALLER).catch(() => undefined),
    LONGEST_MS,
  );
  return decided === undefined ? LONGEST_MS : performance.now() - startedMs;
}

function shown({ name, first, later, countedLate }) {
  const text = `first ones after ${shownMs(first)}, further ones after ${shownMs(later)}`;
  return [name, `${text}; ${countedLate} of ${first.length + later.length} are counted when it is back`];
}

function shownMs(times) {
  if (median(times) >= LONGEST_MS) return `more than ${LONGEST_MS / 1_000} s, if at all`;
  return `${median(times).toFixed(2)} ms (slowest: ${Math.max(...times).toFixed(1)} ms)`;
}
