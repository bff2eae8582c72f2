// Claim: a route that reads a session serves nearly as many requests as the same route without one, guarded or not.
import { startRedis } from 'rookery/testing';
import { compareApart } from './lib/apart.mjs';
import { readArgs } from './lib/args.mjs';
import { Crew } from './lib/crew.mjs';
import { requestsPerSecond } from './lib/http-load.mjs';
import { goal, header, table } from './lib/report.mjs';
import { ATTRIBUTES, userOf } from './lib/sessions/values.mjs';

const { rounds, quick } = readArgs({ rounds: 9, quickRounds: 2 });
const GENERATIONS = quick ? 1 : 3;
const SECONDS = quick ? 1 : 2;
const CONNECTIONS = 32;
const USERS = 100;
const LEAST = { fastify: 0.55, express: 0.7 };

const SETUPS = [
  { name: 'bare route', kind: 'bare' },
  { name: 'rookery, @Session()', kind: 'rookery' },
  { name: 'rookery, guard and @Session()', kind: 'rookery-guard' },
  { name: 'express-session, connect-redis', kind: 'express-session', adapter: 'express' },
  { name: 'middleware that does one GETEX', kind: 'getex', adapter: 'express' },
  { name: '@fastify/session, connect-redis', kind: 'fastify-session', adapter: 'fastify' },
];

const redis = await startRedis();
const [{ host, port }] = redis.nodes;
header(
  `Routes that give 1 KB of JSON and an attribute of the session, ${CONNECTIONS} connections of ${USERS} users`,
  [
    'rookery',
    '@nestjs/core',
    'fastify',
    'express',
    'express-session',
    '@fastify/session',
    'connect-redis',
    '@redis/client',
    'autocannon',
  ],
  redis,
);

for (const adapter of ['fastify', 'express']) {
  const setups = SETUPS.filter((setup) => (setup.adapter ?? adapter) === adapter);
  const open = (setup) => openApp(setup, adapter);
  const [results] = await compareApart(setups, open, [{ concurrency: CONNECTIONS }], rounds, GENERATIONS);
  table(adapter, results, 'bare');
  for (const { name, ratio } of results) {
    if (name.startsWith('rookery')) goal(`${name}, against the bare route`, ratio, LEAST[adapter]);
  }
  console.log();
}
await redis.stop();

/** Each application is a process of its own; its users are logged in. */
async function openApp({ name, kind }, adapter) {
  const config = { kind, adapter, redis: { host, port } };
  const app = await Crew.start(new URL('./workers/session-route-app.mjs', import.meta.url), 1, config);
  const [appPort] = await app.ask('port');
  const origin = `http://127.0.0.1:${appPort}`;
  const requests = await Promise.all(Array.from({ length: USERS }, (_, i) => requestOf(origin, userOf(i), i, kind)));
  await expectSessions(origin, requests, name);
  const rate = (_, connections) => requestsPerSecond(origin, requests, { connections, duration: SECONDS });
  return { name, rate, close: () => app.stop() };
}

/** The request of a user that comes with the cookie of a login. */
async function requestOf(origin, user, i, kind) {
  const answer = await fetch(`${origin}/login/${user}`, { headers: { 'x-user': user } });
  await answer.arrayBuffer();
  const [cookie] = (answer.headers.getSetCookie()[0] ?? 'sid=none').split(';');
  if (cookie === 'sid=none' && kind !== 'bare') throw new Error(`${kind}: a login was to set a cookie`);
  return { path: `/products/product-${i}`, headers: { cookie } };
}

async function expectSessions(origin, requests, name) {
  for (const { path, headers } of requests) {
    const { theme } = await (await fetch(origin + path, { headers })).json();
    if (theme !== ATTRIBUTES.theme) throw new Error(`${name}: the session was to be there`);
  }
}
