// Claim: a cold key is loaded once, however many callers in however many processes ask for it, and the others are woken as soon as it is there.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { nowMs } from './lib/clock.mjs';
import { contenders, PACKAGES } from './lib/contenders/index.mjs';
import { Crew } from './lib/crew.mjs';
import { header, limit } from './lib/report.mjs';
import { median, quantile } from './lib/stats.mjs';
import { product, TAGS } from './lib/values.mjs';

const { rounds } = readArgs({ rounds: 60, quickRounds: 5 });
const PROCESSES = 4;
const CALLERS = 200;
const LOAD_MS = 50;
/** First rounds, in which the code of waiting for another process is still being compiled. */
const UNCOUNTED = 20;
const CASES = [
  { name: 'a value', value: product(200), tags: [] },
  { name: 'a value with 3 tags', value: product(200), tags: TAGS },
  { name: 'null', value: null, tags: [] },
];

const redis = await startRedis();
const [{ host, port }] = redis.nodes;
header(`${PROCESSES} processes x ${CALLERS} callers, one cold key, a loader of ${LOAD_MS} ms`, PACKAGES, redis);

for (const { name: what, value, tags } of CASES) {
  console.log(`The loader gives ${what}`);
  for (const contender of Object.keys(contenders)) {
    const config = { contender, redis: { host, port }, value, tags, loadMs: LOAD_MS, callers: CALLERS };
    const { loads, wakeMs } = await stampedes(config);
    const [p50, p99, max] = [quantile(wakeMs, 0.5), quantile(wakeMs, 0.99), Math.max(...wakeMs)];
    const late = `answered ${p50.toFixed(1)} ms after the load (p50), ${p99.toFixed(1)} ms (p99), ${max.toFixed(1)} ms (last)`;
    console.log(
      `  ${contender.padEnd(20)} ${median(loads)} loads a key (${Math.min(...loads)} to ${Math.max(...loads)}); ${late}`,
    );
    if (contender !== 'rookery') continue;
    limit('most loads of a key', Math.max(...loads), 1);
    limit('p99 from the end of the load to the last of its callers', p99, 5, ' ms');
  }
  console.log();
}
await redis.stop();

/** How often each key was loaded, and how long after the first load each caller was answered. */
async function stampedes(config) {
  const crew = await Crew.start(new URL('./workers/stampede.mjs', import.meta.url), PROCESSES, config);
  await crew.ask('warm');
  const loads = [];
  const wakeMs = [];
  for (let round = -UNCOUNTED; round < rounds; round++) {
    const key = `${config.contender}-${JSON.stringify(config.tags)}-${config.value === null}-${round}`;
    const answers = await crew.ask('run', { key, atMs: nowMs() + 50 });
    if (round < 0) continue;
    const loadedMs = answers.flatMap((answer) => answer.loadedMs);
    loads.push(loadedMs.length);
    // Where each process loads for itself, a caller waits for its own process's load.
    for (const { loadedMs: own, answeredMs } of answers) {
      const sinceMs = Math.min(...(own.length > 0 ? own : loadedMs));
      wakeMs.push(...answeredMs.map((ms) => ms - sinceMs));
    }
  }
  await crew.stop();
  return { loads, wakeMs };
}
