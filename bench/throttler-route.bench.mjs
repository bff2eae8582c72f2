// Claim: a guarded route serves nearly as many requests as the bare route does, and three policies cost hardly more than one.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { Crew } from './lib/crew.mjs';
import { requestsPerSecond } from './lib/http-load.mjs';
import { goal, header, table } from './lib/report.mjs';

const { rounds, quick } = readArgs({ rounds: 9, quickRounds: 2 });
const GENERATIONS = quick ? 1 : 3;
const SECONDS = quick ? 1 : 2;
const CONNECTIONS = 32;
const REQUESTS = Array.from({ length: 100 }, (_, i) => ({
  path: `/products/product-${i}`,
  headers: { 'x-user': `user-${i}` },
}));

const SETUPS = [
  { name: 'bare route', kind: 'bare' },
  { name: 'rookery, 1 policy', kind: 'rookery', limits: 1, least: { fastify: 0.6, express: 0.85 } },
  { name: 'rookery, 3 policies', kind: 'rookery', limits: 3, least: { fastify: 0.55, express: 0.82 } },
  { name: '@nestjs/throttler, 1 limit', kind: 'nest', limits: 1 },
  { name: '@nestjs/throttler, 3 limits', kind: 'nest', limits: 3 },
];

const redis = await startRedis();
const [{ host, port }] = redis.nodes;
header(
  `Routes that give 1 KB of JSON, ${CONNECTIONS} connections of ${REQUESTS.length} users, all limits in Redis`,
  [
    'rookery',
    '@nestjs/core',
    'fastify',
    'express',
    '@nestjs/throttler',
    '@nest-lab/throttler-storage-redis',
    'autocannon',
  ],
  redis,
);

for (const adapter of ['fastify', 'express']) {
  const open = (setup) => openApp(setup, adapter);
  const [results] = await compareApart(SETUPS, open, [{ concurrency: CONNECTIONS }], rounds, GENERATIONS);
  table(adapter, results, 'bare');
  SETUPS.forEach(({ name, least }, i) => {
    if (least !== undefined) goal(`${name}, against the bare route`, results[i].ratio, least[adapter]);
  });
  console.log();
}
await redis.stop();

/** Each application is a process of its own. */
async function openApp({ name, ...setup }, adapter) {
  const config = { ...setup, adapter, redis: { host, port } };
  const app = await Crew.start(new URL('./workers/throttler-route-app.mjs', import.meta.url), 1, config);
  const [appPort] = await app.ask('port');
  const origin = `http://127.0.0.1:${appPort}`;
  const rate = (_, connections) => requestsPerSecond(origin, REQUESTS, { connections, duration: SECONDS });
  return { name, rate, close: () => app.stop() };
}
