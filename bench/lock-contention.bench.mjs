// Claim: where many want one lock all the time, they have it in turn, and nobody waits for longer than the others; so it is with permits.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { openCallers, WAITING_SETUPS } from './lib/callers.mjs';
import { nowMs } from './lib/clock.mjs';
import { shuffled } from './lib/compare.mjs';
import { PACKAGES } from './lib/lockers/index.mjs';
import { goal, header, limit, lines } from './lib/report.mjs';
import { median, quantile, sum } from './lib/stats.mjs';
import { slug } from './lib/values.mjs';

const { rounds, quick } = readArgs({ rounds: 9, quickRounds: 2 });
const PROCESSES = 4;
const CALLERS = 16;
const WORK_MS = 1;
const ROUND_MS = quick ? 500 : 1_500;
/** Nobody asks any more then; some go on for as long as the last one waits. */
const START_MS = 20;
/** What the one with the fewest turns has of those of the one with the most. */
const LEAST_SHARE = 0.9;
/** How long the unluckiest of a round may wait, of the time in which everybody has a turn. */
const LONGEST_OF_AN_EVEN_SHARE = 3;

const PERMITS = 4;
const CASES = [
  { title: 'One lock', most: 1, setups: WAITING_SETUPS },
  {
    title: `A semaphore of ${PERMITS} permits`,
    most: PERMITS,
    setups: WAITING_SETUPS.filter(({ locker }) => locker === 'rookery' || locker === 'redis-semaphore').map(
      (setup) => ({
        ...setup,
        limit: PERMITS,
      }),
    ),
  },
];

const redis = await startRedis();
const [node] = redis.nodes;
header(
  `${CALLERS} callers in ${PROCESSES} processes want the same all the time, for ${WORK_MS} ms each`,
  PACKAGES,
  redis,
);

for (const one of CASES) await compareFairness(one);
await redis.stop();

async function compareFairness({ title, most, setups }) {
  const crew = await openCallers(PROCESSES, setups, node);
  const measured = new Map(setups.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const { name } of shuffled(setups)) {
      const contest = await contend(crew, name, round);
      if (round >= 0) measured.get(name).push(contest);
    }
  }
  await crew.stop();
  const results = [...measured].map(([name, contests]) => ({ name, ...summaryOf(contests) }));
  lines(
    title,
    results.map((result) => [result.name, shown(result)]),
  );
  const [ours] = results;
  limit('rookery, those who have it at once', ours.atOnce, most);
  goal('rookery, turns of the unluckiest, of those of the luckiest', ours.share, LEAST_SHARE, ' x');
  limit(
    'rookery, the longest wait, of the time in which all have a turn',
    ours.longestShare,
    LONGEST_OF_AN_EVEN_SHARE,
    ' x',
  );
  console.log();
}

async function contend(crew, setup, round) {
  const startedMs = nowMs() + START_MS;
  const untilMs = startedMs + ROUND_MS;
  const lock = `${slug(setup)}-${round}`;
  const contest = { setup, lock, callers: CALLERS / PROCESSES, holdMs: WORK_MS, untilMs };
  const callers = (await crew.ask('contend', contest)).flat();
  const turns = callers.flat();
  const inTime = callers.map((own) => own.filter(({ acquiredMs }) => acquiredMs < untilMs).length);
  return {
    perSecond: (sum(inTime) * 1_000) / ROUND_MS,
    waitsMs: turns.map(({ askedMs, acquiredMs }) => acquiredMs - askedMs),
    most: Math.max(...inTime),
    least: Math.min(...inTime),
    atOnce: mostAtOnce(turns),
  };
}

/** How many had it at one moment. A turn that ends as another begins is not at once with it. */
function mostAtOnce(turns) {
  const steps = turns.flatMap(({ acquiredMs, releasedMs }) => [
    [acquiredMs, 1],
    [releasedMs, -1],
  ]);
  steps.sort(([a, began], [b, ended]) => a - b || began - ended);
  let now = 0;
  return Math.max(...steps.map(([, step]) => (now += step)));
}

function summaryOf(contests) {
  const waitsMs = contests.flatMap((contest) => contest.waitsMs);
  const perSecond = median(contests.map((contest) => contest.perSecond));
  const longestOfRounds = contests.map((contest) => Math.max(...contest.waitsMs));
  return {
    perSecond,
    p50: quantile(waitsMs, 0.5),
    longestMs: Math.max(...longestOfRounds),
    longestShare: median(longestOfRounds) / ((CALLERS * 1_000) / perSecond),
    most: median(contests.map(({ most }) => most)),
    least: median(contests.map(({ least }) => least)),
    share: median(contests.map(({ most, least }) => least / most)),
    atOnce: Math.max(...contests.map(({ atOnce }) => atOnce)),
  };
}

function shown({ perSecond, p50, longestMs, most, least, atOnce }) {
  const rate = `${Math.round(perSecond).toLocaleString('en').padStart(6)} turns/s`;
  const waits = `waits p50 ${p50.toFixed(1).padStart(6)} ms, longest ${longestMs.toFixed(0).padStart(6)} ms`;
  return `${rate}; ${waits}; a caller has ${least} to ${most} turns, ${atOnce} at once`;
}
