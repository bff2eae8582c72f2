// Claim: without Redis, callers are answered by their loaders, at once; and memory that can no longer hear of changes is not used.
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, startTcpProxy } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { capped } from './lib/clock.mjs';
import { contenders, PACKAGES } from './lib/contenders/index.mjs';
import { header, limit } from './lib/report.mjs';
import { median } from './lib/stats.mjs';
import { TAGS } from './lib/values.mjs';

const { rounds, quick } = readArgs({ rounds: 3, quickRounds: 1 });
/** What is not answered by then is not waited for. */
const LONGEST_MS = quick ? 3_000 : 8_000;
const READS_AFTER = 20;
/** Our default, as the peers have theirs: the other claims give Redis more time. */
const DEFAULTS = { redisDeadline: '50ms' };

process.on('unhandledRejection', () => undefined);
const redis = await startRedis();
const [node] = redis.nodes;
header('Without Redis', PACKAGES, redis);

await answers('gone: the connection is reset and the port is closed', (proxy) => proxy.refuse());
await answers('frozen: connections stay open, nothing is answered', (proxy) => proxy.freeze());
await memory('the stream of changes falls silent', { during: (proxy) => proxy.freeze(), goalMs: 3_000 });
await memory('the stream of changes is cut for a moment, in which a change is made', {
  during: (proxy) => proxy.refuse(),
  after: (proxy) => proxy.heal(),
  goalMs: 3_000,
});
await redis.stop();
// Clients of peers whose Redis is gone go on connecting, closed or not.
process.exit();

/** How long a caller waits for a value that only its loader can give. */
async function answers(what, breakIt) {
  console.log(`Redis is ${what}`);
  for (const contender of Object.keys(contenders)) {
    const first = [];
    const later = [];
    for (let round = 0; round < rounds; round++) {
      const { firstMs, laterMs } = await outage(contender, breakIt);
      first.push(firstMs);
      later.push(...laterMs);
    }
    console.log(
      `  ${contender.padEnd(20)} first answer after ${shownMs(median(first))}, further ones after ${shownMs(median(later))}`,
    );
    if (contender !== 'rookery') continue;
    limit('first answer', Math.max(...first), 100, ' ms');
    limit('further answers', median(later), 1, ' ms');
  }
  console.log();
}

async function outage(contender, breakIt) {
  const proxy = await startTcpProxy(node);
  const open = contenders[contender];
  const cache = await open({ redis: proxy, tier: 'redis', settings: DEFAULTS, load: () => 'loaded' });
  for (let i = 0; i < 20; i++) await cache.read(`warm-${i}`);
  await breakIt(proxy);
  const firstMs = await timeOf(() => cache.read('first'));
  const laterMs = [];
  for (let i = 0; i < READS_AFTER && firstMs < LONGEST_MS; i++) {
    laterMs.push(await timeOf(() => cache.read(`later-${i}`)));
    if (laterMs.at(-1) >= LONGEST_MS) break;
    await sleep(10);
  }
  await proxy.heal();
  await capped(
    cache.close().catch(() => undefined),
    2_000,
  );
  await proxy.stop();
  return { firstMs, laterMs: laterMs.length > 0 ? laterMs : [LONGEST_MS] };
}

/** For how long memory gives the old value, when the word of a change cannot come through. */
async function memory(what, { during, after, goalMs }) {
  console.log(`With memory in front: ${what}`);
  for (const contender of ['rookery', 'bentocache', 'cacheable']) {
    const staleMs = [];
    for (let round = 0; round < rounds; round++) staleMs.push(await staleness(contender, during, after));
    console.log(
      `  ${contender.padEnd(20)} the old value is served for ${shownMs(median(staleMs))} (longest: ${shownMs(Math.max(...staleMs))})`,
    );
    if (contender === 'rookery') limit('the old value is served for', Math.max(...staleMs), goalMs, ' ms');
  }
  console.log();
}

async function staleness(contender, during, after) {
  const proxy = await startTcpProxy(node);
  let version = 'old';
  const load = () => version;
  const setup = { tier: 'both', tags: TAGS, settings: DEFAULTS, load };
  const reader = await contenders[contender]({ redis: proxy, ...setup });
  const writer = await contenders[contender]({ redis: node, ...setup });
  for (let i = 0; i < 50; i++) await reader.read('entry');
  await during(proxy);
  const sinceMs = performance.now();
  version = 'new';
  await writer.invalidateTags(TAGS);
  await after?.(proxy);
  while (performance.now() - sinceMs < LONGEST_MS) {
    const left = LONGEST_MS - (performance.now() - sinceMs);
    if (
      (await capped(
        reader.read('entry').catch(() => 'old'),
        left,
        'old',
      )) === 'new'
    )
      break;
    await sleep(5);
  }
  const staleMs = performance.now() - sinceMs;
  await proxy.heal();
  for (const cache of [reader, writer])
    await capped(
      cache.close().catch(() => undefined),
      2_000,
    );
  await proxy.stop();
  await node.command('FLUSHALL');
  return staleMs;
}

/** LONGEST_MS for what took longer, and for what failed: the loader would have answered. */
async function timeOf(read) {
  const startedMs = performance.now();
  const answer = await capped(
    read().catch(() => undefined),
    LONGEST_MS,
  );
  return answer === 'loaded' ? performance.now() - startedMs : LONGEST_MS;
}

function shownMs(ms) {
  return ms >= LONGEST_MS
    ? `more than ${LONGEST_MS / 1_000} s, if at all`
    : `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`;
}
