// Claim: a released lock is the next one's within a fraction of a millisecond, first come, first served; and whoever waits leaves Redis alone meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { openCallers, WAITING_SETUPS } from './lib/callers.mjs';
import { nowMs } from './lib/clock.mjs';
import { shuffled } from './lib/compare.mjs';
import { lockers, PACKAGES } from './lib/lockers/index.mjs';
import { header, limit, lines } from './lib/report.mjs';
import { quantile, sum } from './lib/stats.mjs';
import { slug } from './lib/values.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 40, quickRounds: 4 });
const FLOOR = { name: 'raw RPUSH, BLPOP', locker: 'raw-token' };
const SETUPS = [FLOOR, ...WAITING_SETUPS];
const PROCESSES = 4;
const HOLD_MS = 3;
/** So many wait; with few of them, a round has more chains. */
const LOADS = [
  { waiters: 2, chains: 6 },
  { waiters: 16, chains: 1 },
];
/** Those whose waiters sleep for long take part in every so many rounds. */
const SLOW_EVERY = 4;
/** First rounds, in which code is still being compiled. */
const UNCOUNTED = 2;
const P50_MS = 0.3;
const P99_MS = 1.5;

const NEWCOMERS = 2;
const NEWCOMERS_WAITERS = 4;
/** Newcomers that leave nothing for those who wait are stopped then. */
const NEWCOMERS_MS = 500;

/** What is sent does not depend on how many processes send it. */
const TAPPED_PROCESSES = 2;
const CONTENDING_MS = quick ? 1_000 : 3_000;
const MOST_COMMANDS = 3;

const WAIT_MS = quick ? 3_000 : 12_000;
/** Who asks every few milliseconds does so all the time. */
const PEERS_WAIT_MS = 3_000;
const WAIT_TTL_MS = 10_000;
const MOST_PER_SECOND = 0.2;

const redis = await startRedis();
const [node] = redis.nodes;
header(`A lock goes from one to the next, in ${PROCESSES} processes`, PACKAGES, redis);

let chainsRun = 0;
const crew = await openCallers(PROCESSES, SETUPS, node);
for (const load of LOADS) await handovers(load);
await newcomers();
await crew.stop();
await commandsOfContention();
for (const { waiters } of LOADS) await commandsOfWaiting(waiters);
await redis.stop();

async function handovers({ waiters, chains }) {
  const measured = new Map(SETUPS.map(({ name }) => [name, []]));
  for (let round = -UNCOUNTED; round < rounds; round++) {
    for (const { name, isSlow } of shuffled(SETUPS)) {
      if (isSlow && round % SLOW_EVERY !== 0) continue;
      for (let i = 0; i < (isSlow ? 1 : chains); i++) {
        const served = await chain(name, waiters);
        if (round >= 0) measured.get(name).push(served);
      }
    }
  }
  const rows = [...measured].map(([name, served]) => [name, summaryOf(served)]);
  lines(
    `${waiters} wait, each has it for ${HOLD_MS} ms: from a release to the next one's lock`,
    rows.map(([name, one]) => [name, shownHandovers(one)]),
  );
  const [, [, ours]] = rows;
  limit(`rookery, p50 with ${waiters} waiters`, ours.p50, P50_MS, ' ms');
  limit(`rookery, p99 with ${waiters} waiters`, ours.p99, P99_MS, ' ms');
  limit(`rookery, overtaken, of ${ours.waiters} waiters`, ours.overtaken, 0);
  limit('rookery, never served', ours.unserved, 0);
  console.log();
}

/** One has the lock, the others queue one after the other in another process each; then it goes from hand to hand. */
async function chain(setup, waiters) {
  const lock = newLock(setup);
  await crew.askOne(0, 'hold', { setup, lock });
  for (let place = 1; place <= waiters; place++) {
    await crew.askOne(place % PROCESSES, 'enqueue', { setup, lock, place, holdMs: HOLD_MS });
  }
  const releasedMs = await crew.askOne(0, 'letGo');
  const served = (await crew.ask('served')).flat();
  return chainOf(served, releasedMs);
}

function chainOf(served, firstReleasedMs) {
  const inOrder = served.filter(({ had }) => had !== null).sort((a, b) => a.had.acquiredMs - b.had.acquiredMs);
  let releasedMs = firstReleasedMs;
  const tookMs = [];
  for (const { had } of inOrder) {
    tookMs.push(had.acquiredMs - releasedMs);
    releasedMs = had.releasedMs;
  }
  const overtaken = inOrder.filter(({ place }, i) => inOrder.slice(0, i).some((before) => before.place > place));
  return {
    tookMs,
    overtaken: overtaken.length,
    waiters: served.length,
    unserved: served.length - inOrder.length,
    lastMs: inOrder.at(-1)?.had.acquiredMs ?? Infinity,
  };
}

function summaryOf(served) {
  const tookMs = served.flatMap((one) => one.tookMs);
  return {
    p50: quantile(tookMs, 0.5),
    p99: quantile(tookMs, 0.99),
    waiters: sum(served.map((one) => one.waiters)),
    overtaken: sum(served.map(({ overtaken }) => overtaken)),
    unserved: sum(served.map(({ unserved }) => unserved)),
  };
}

function shownHandovers({ p50, p99, overtaken, waiters, unserved }) {
  const times = `p50 ${p50.toFixed(2).padStart(7)} ms, p99 ${p99.toFixed(2).padStart(7)} ms`;
  const order = `${String(overtaken).padStart(4)} of ${String(waiters).padStart(4)} overtaken`;
  return unserved === 0 ? `${times}; ${order}` : `${times}; ${order}, ${unserved} never served`;
}

/** Some wait, and then others ask without a break, who do not wait: they are to have it only after those. */
async function newcomers() {
  const rows = [];
  for (const { name, isSlow } of WAITING_SETUPS) {
    const times = name === 'rookery' ? rounds : Math.ceil(rounds / (isSlow ? 20 : 8));
    let overtakings = 0;
    let chained = [];
    for (let i = 0; i < times; i++) {
      const { early, served } = await chainWithNewcomers(name);
      overtakings += early;
      chained.push(served);
    }
    rows.push({ name, overtakings, times, ...summaryOf(chained) });
  }
  lines(
    `${NEWCOMERS_WAITERS} wait, and ${NEWCOMERS} newcomers ask without a break: how often these were let in first`,
    rows.map(({ name, overtakings, times, p50 }) => [
      name,
      `${(overtakings / times).toFixed(1).padStart(6)} times; p50 from a release to the next of those who wait ${p50.toFixed(2)} ms`,
    ]),
  );
  limit('rookery, newcomers let in first', rows[0].overtakings, 0);
  console.log();
}

async function chainWithNewcomers(setup) {
  const lock = newLock(setup);
  const [first, second] = [PROCESSES - 2, PROCESSES - 1];
  await crew.askOne(0, 'hold', { setup, lock });
  for (let place = 1; place <= NEWCOMERS_WAITERS; place++) {
    await crew.askOne(place % (PROCESSES - NEWCOMERS), 'enqueue', { setup, lock, place, holdMs: HOLD_MS });
  }
  for (const member of [first, second]) await crew.askOne(member, 'startNewcomer', { setup, lock, holdMs: HOLD_MS });
  const releasedMs = await crew.askOne(0, 'letGo');
  const served = crew.ask('served');
  await Promise.race([served, sleep(NEWCOMERS_MS)]);
  const grantsMs = [...(await crew.askOne(first, 'stopNewcomer')), ...(await crew.askOne(second, 'stopNewcomer'))];
  const chained = chainOf((await served).flat(), releasedMs);
  return { early: grantsMs.filter((ms) => ms < chained.lastMs).length, served: chained };
}

/** What one turn sends while 16 want the lock all the time. */
async function commandsOfContention() {
  const rows = [];
  for (const setup of WAITING_SETUPS) {
    const { tap, callers } = await openTapped(setup);
    const contend = (ms) => callers.ask('contend', contest(setup, 16 / TAPPED_PROCESSES, ms));
    await contend(CONTENDING_MS / 4);
    let turns;
    const { commands, pings } = await tap.during(async () => (turns = (await contend(CONTENDING_MS)).flat(2)));
    rows.push([setup.name, (commands - pings) / turns.length]);
    await callers.stop();
    tap.stop();
  }
  lines(
    '16 want it all the time: what one turn sends',
    rows.map(([name, commands]) => [name, `${commands.toFixed(2).padStart(8)} commands`]),
  );
  limit('rookery, commands of a turn', rows[0][1], MOST_COMMANDS);
  console.log();
}

function contest(setup, callers, ms) {
  return { setup: setup.name, lock: newLock(setup.name), callers, holdMs: HOLD_MS, untilMs: nowMs() + ms };
}

/** What those send who wait while somebody has the lock for long, and prolongs it by a connection of its own. */
async function commandsOfWaiting(waiters) {
  const rows = [];
  for (const setup of WAITING_SETUPS) {
    const { tap, callers } = await openTapped(setup);
    const ttlMs = WAIT_TTL_MS;
    const holder = await lockers[setup.locker]({ redis: node, ttlMs, waitMs: 1_000 });
    // The first one to wait in a process makes ready for it.
    await callers.ask('contend', contest(setup, 2, 200));
    const lock = newLock(setup.name);
    const handle = await holder.acquire(lock);
    for (let place = 1; place <= waiters; place++) {
      await callers.askOne(place % TAPPED_PROCESSES, 'enqueue', { setup: setup.name, lock, place, holdMs: 0 });
    }
    const ms = setup.name === 'rookery' ? WAIT_MS : Math.min(WAIT_MS, PEERS_WAIT_MS);
    const { commands, pings } = await tap.over(ms);
    const perSecond = (number) => (number * 1_000) / ms;
    rows.push({
      name: setup.name,
      perWaiter: perSecond(commands - pings) / waiters,
      pings: perSecond(pings) / TAPPED_PROCESSES,
    });
    await holder.release(handle);
    await callers.ask('served');
    await callers.stop();
    await holder.close();
    tap.stop();
  }
  lines(
    `${waiters} wait for one who has it for long: what each of them sends`,
    rows.map(({ name, perWaiter, pings }) => [name, shownWaiting(perWaiter, pings)]),
  );
  limit('rookery, commands a second of each waiter', rows[0].perWaiter, MOST_PER_SECOND);
  console.log();
}

function shownWaiting(perWaiter, pings) {
  const text = `${perWaiter.toFixed(2).padStart(8)} commands a second`;
  return pings === 0 ? text : `${text}; ${pings.toFixed(2)} PINGs a second of each process`;
}

/** Processes with a locker of that setup alone, and a tap before their Redis. */
async function openTapped(setup) {
  const tap = await WireTap.before(node);
  return { tap, callers: await openCallers(TAPPED_PROCESSES, [setup], tap) };
}

function newLock(setup) {
  chainsRun += 1;
  return `${slug(setup)}-${chainsRun}`;
}
