// Claim: a cached route serves nearly as many requests as the bare route does, and a cold one runs its handler once for all who wait.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { shuffled } from './lib/compare.mjs';
import { Crew } from './lib/crew.mjs';
import { requestsPerSecond } from './lib/http-load.mjs';
import { goal, header, limit, table } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const { rounds, quick } = readArgs({ rounds: 7, quickRounds: 2 });
const SECONDS = quick ? 1 : 2;
const CONNECTIONS = 32;
const COLD_REQUESTS = 100;
const IDS = Array.from({ length: 16 }, (_, i) => `product-${i}`);

const ROUTES = [
  { path: 'bare', name: 'bare route' },
  { path: 'cacheable-memory', name: 'rookery @Cacheable, memory', least: 0.65 },
  { path: 'cacheable-redis', name: 'rookery @Cacheable, Redis', least: 0.52 },
  { path: 'response-memory', name: 'rookery @CacheResponse, memory', least: 0.65 },
  { path: 'response-redis', name: 'rookery @CacheResponse, Redis', least: 0.52 },
  { path: 'manager-memory', name: '@nestjs/cache-manager, memory' },
  { path: 'manager-redis', name: '@nestjs/cache-manager, Redis' },
];

const redis = await startRedis();
const [{ host, port }] = redis.nodes;
header(
  `Routes that give 1 KB of JSON, ${CONNECTIONS} connections`,
  ['rookery', '@nestjs/core', 'fastify', 'express', '@nestjs/cache-manager', '@keyv/redis', 'autocannon'],
  redis,
);

for (const adapter of ['fastify', 'express']) {
  const app = await Crew.start(new URL('./workers/route-app.mjs', import.meta.url), 1, {
    adapter,
    redis: { host, port },
  });
  const [appPort] = await app.ask('port');
  const origin = `http://127.0.0.1:${appPort}`;
  const results = await compareRoutes(origin);
  table(adapter, results, 'bare');
  if (adapter === 'fastify') {
    for (const { least, name, ratio } of results)
      if (least !== undefined) goal(`${name}, against the bare route`, ratio, least);
  }
  for (const { path, name, least } of ROUTES.slice(1)) {
    const handlers = await coldHandlers(app, origin, path);
    console.log(`  ${name.padEnd(34)} a cold key runs ${handlers} handlers for ${COLD_REQUESTS} requests`);
    if (least !== undefined) limit(`${name}, handlers for a cold key`, handlers, 1);
  }
  console.log();
  await app.stop();
}
await redis.stop();

async function compareRoutes(origin) {
  const rates = new Map(ROUTES.map(({ path }) => [path, []]));
  for (let round = -1; round < rounds; round++) {
    for (const { path } of shuffled(ROUTES)) {
      const requests = IDS.map((id) => ({ path: `/${path}/${id}` }));
      const rate = await requestsPerSecond(origin, requests, { connections: CONNECTIONS, duration: SECONDS });
      if (round >= 0) rates.get(path).push(rate);
    }
  }
  const bare = rates.get('bare');
  return ROUTES.map((route) => {
    const own = rates.get(route.path);
    return { ...route, perSecond: median(own), ratio: median(own.map((rate, round) => rate / bare[round])) };
  });
}

async function coldHandlers(app, origin, path) {
  const [before] = await app.ask('handled');
  const id = `cold-${Math.random()}`;
  await Promise.all(
    Array.from({ length: COLD_REQUESTS }, () => fetch(`${origin}/${path}/${id}`).then((answer) => answer.text())),
  );
  const [after] = await app.ask('handled');
  return after - before;
}
