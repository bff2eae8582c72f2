// Claim: invalidating three tags is one round trip, and costs the same whether they stand on a hundred entries or on ten thousand.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { shuffled } from './lib/compare.mjs';
import { contenders, PACKAGES } from './lib/contenders/index.mjs';
import { goal, header, limit } from './lib/report.mjs';
import { median, sum } from './lib/stats.mjs';
import { product, slug, TAGS } from './lib/values.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 7, quickRounds: 2 });
const FEW = 100;
const MANY = quick ? 2_000 : 10_000;
const VALUE = product(200);
/** Each number of entries has tags of its own. */
const tagsOf = (entries) => TAGS.map((tag) => `${tag}:${entries}`);
const SETUPS = [
  { name: 'rookery', contender: 'rookery', tier: 'redis' },
  { name: 'rookery with memory', contender: 'rookery', tier: 'both' },
  { name: 'bentocache', contender: 'bentocache', tier: 'redis' },
  { name: 'bentocache with memory', contender: 'bentocache', tier: 'both' },
  { name: 'cacheable', contender: 'cacheable', tier: 'redis' },
  { name: 'async-cache-dedupe', contender: 'async-cache-dedupe', tier: 'redis' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header(`Invalidating 3 tags of ${FEW} and of ${MANY.toLocaleString('en')} entries`, PACKAGES, redis);

const running = [];
for (const setup of SETUPS) for (const entries of [FEW, MANY]) running.push(await open(setup, entries));
for (let round = -1; round < rounds; round++) {
  for (const one of shuffled(running)) {
    const measured = await invalidate(one);
    if (round >= 0) one.measured.push(measured);
  }
}
const of = ({ measured }, fact) => median(measured.map((each) => each[fact]));
for (const one of running) {
  const entries = one.entries.toLocaleString('en').padStart(6);
  const cost = `${of(one, 'trips')} trips, ${of(one, 'commands')} commands, ${of(one, 'calls')} calls in the server`;
  console.log(`  ${one.name.padEnd(24)} ${entries} entries: ${of(one, 'ms').toFixed(2).padStart(7)} ms, ${cost}`);
}
for (const [few, many] of [running.slice(0, 2), running.slice(2, 4)]) {
  limit(`${many.name}, round trips`, of(many, 'trips'), 1);
  limit(
    `${many.name}, commands in the server for ${MANY.toLocaleString('en')} entries`,
    of(many, 'calls'),
    of(few, 'calls'),
  );
  goal(`${many.name}, entries read anew afterwards`, Math.min(...many.measured.map(({ reloaded }) => reloaded)), MANY);
}

for (const { cache, tap } of running) {
  await cache.close();
  tap.stop();
}
await redis.stop();

async function open({ name, contender, tier }, entries) {
  const tap = await WireTap.before(node);
  let loads = 0;
  const load = () => {
    loads += 1;
    return VALUE;
  };
  const cache = await contenders[contender]({ redis: tap, tier, tags: tagsOf(entries), load });
  return { name, entries, cache, tap, loads: () => loads, measured: [] };
}

async function invalidate({ name, entries, cache, tap, loads }) {
  await readAll(name, cache, entries);
  const callsBefore = await serverCalls();
  let ms;
  const cost = await tap.during(async () => {
    const startedMs = performance.now();
    await cache.invalidateTags(tagsOf(entries));
    ms = performance.now() - startedMs;
  });
  const calls = (await serverCalls()) - callsBefore;
  const loadsBefore = loads();
  await readAll(name, cache, entries);
  return { ms, ...cost, calls, reloaded: loads() - loadsBefore };
}

async function readAll(name, { read }, entries) {
  let next = 0;
  const worker = async () => {
    while (next < entries) {
      next += 1;
      await read(`${slug(name)}-${entries}-${next}`);
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
}

/** Commands that the server carried out, those in scripts included, and not those of this look. */
async function serverCalls() {
  const info = String(await node.command('INFO', 'commandstats'));
  const calls = [...info.matchAll(/^cmdstat_(?!info|auth|hello|client|ping)\S+?:calls=(\d+)/gm)];
  return sum(calls.map(([, count]) => Number(count)));
}
