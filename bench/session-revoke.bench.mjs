// Claim: all sessions of a user end in two round trips at most, however many they are; a session is loaded in one and saved in one, and use alone writes once in a tenth of the idle timeout.
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { header, limit, lines } from './lib/report.mjs';
import { many } from './lib/session-work.mjs';
import { PACKAGES, sessions } from './lib/sessions/index.mjs';
import { ATTRIBUTES, userOf } from './lib/sessions/values.mjs';
import { median } from './lib/stats.mjs';
import { WireTap } from './lib/wire-tap.mjs';

const { rounds, quick } = readArgs({ rounds: 5, quickRounds: 2 });
const SESSIONS = 1_000;
/** Those of other users, which go on. */
const OTHERS = quick ? 2_000 : 10_000;
const COUNTED = 100;
const USER = 'u99999';
const IDLE_MS = 4_000;
const USED_MS = quick ? 2_000 : 8_000;

/** How all sessions of a user are ended. Where there is no list of them, all sessions of everybody are read. */
const REVOKES = {
  rookery: ({ service }) => service.destroyAllForUser(USER),
  async 'connect-redis'({ store }) {
    const own = (await store.all()).filter(({ user }) => user === USER);
    await Promise.all(own.map(({ id }) => store.destroy(id)));
    return own.length;
  },
};
const SETUPS = [
  { name: 'rookery', sessions: 'rookery' },
  { name: 'connect-redis, all and destroy', sessions: 'connect-redis' },
];

const redis = await startRedis();
const [node] = redis.nodes;
header(
  `${SESSIONS.toLocaleString('en')} sessions of one user end, beside ${OTHERS.toLocaleString('en')} others`,
  PACKAGES,
  redis,
);

const revoked = [];
for (const setup of SETUPS) revoked.push({ ...setup, ...(await costOfRevoking(setup)) });
lines(
  'All of a user',
  revoked.map(({ name, trips, commands, ms }) => [
    name,
    `${shown({ trips, commands })}, ${ms.toFixed(1)} ms without the relay`,
  ]),
);
limit('rookery, trips to end all of a user', revoked[0].trips, 2);
console.log();

const used = [];
for (const setup of SETUPS) used.push({ ...setup, ...(await costsOfUse(setup)) });
lines(
  'What one request sends, one caller',
  used.map(({ name, read, save }) => [name, `${shown(read)} to load it; ${shown(save)} to save it`]),
);
limit('rookery, trips to load it and put its end off', used[0].read.trips, 1);
limit('rookery, trips to save it', used[0].save.trips, 1);
console.log();

const writes = await writesOfUse();
lines(`Requests without a break for ${USED_MS / 1_000} s that change nothing, idle timeout ${IDLE_MS / 1_000} s`, [
  ['rookery', `${writes.reads.toLocaleString('en')} requests, ${writes.perTenth.toFixed(2)} writes in a tenth of it`],
]);
limit('rookery, writes in a tenth of the idle timeout', writes.perTenth, 1);
await redis.stop();

async function costOfRevoking({ name, sessions: library }) {
  const costs = [];
  const tookMs = [];
  for (let round = -1; round < rounds; round++) {
    await node.command('FLUSHALL');
    const tap = await WireTap.before(node);
    const tapped = await sessions[library]({ redis: tap });
    const direct = await sessions[library]({ redis: node });
    await many(OTHERS, (i) => direct.create(userOf(i), ATTRIBUTES));
    let ms;
    const revoke = async (opened) => {
      const startedMs = performance.now();
      const ended = await REVOKES[library](opened);
      ms = performance.now() - startedMs;
      if (ended !== SESSIONS) throw new Error(`${name}: ${ended} have ended`);
    };
    await many(SESSIONS, () => direct.create(USER, ATTRIBUTES));
    const cost = await tap.during(() => revoke(tapped));
    await many(SESSIONS, () => direct.create(USER, ATTRIBUTES));
    await revoke(direct);
    if (round >= 0) {
      costs.push(cost);
      tookMs.push(ms);
    }
    await tapped.close();
    await direct.close();
    tap.stop();
  }
  return {
    trips: median(costs.map(({ trips }) => trips)),
    commands: median(costs.map(({ commands }) => commands)),
    ms: median(tookMs),
  };
}

async function costsOfUse({ sessions: library }) {
  const tap = await WireTap.before(node);
  const { create, read, open, close } = await sessions[library]({ redis: tap });
  const token = await create(USER, ATTRIBUTES);
  await read(token, 'theme');
  const session = await open(token);
  const saveAs = async (visits) => {
    session.set('visits', visits);
    await session.save();
  };
  await saveAs(0);
  const costs = {
    read: await costOf(tap, () => read(token, 'theme')),
    save: await costOf(tap, (i) => saveAs(100 + i)),
  };
  await close();
  tap.stop();
  return costs;
}

async function costOf(tap, run) {
  const { trips, commands } = await tap.during(async () => {
    for (let i = 0; i < COUNTED; i++) await run(i);
  });
  return { trips: trips / COUNTED, commands: commands / COUNTED };
}

/** Reads of one session without a break. A script's writes are no commands on the wire: the server has counted them. */
async function writesOfUse() {
  const { create, read, close } = await sessions.rookery({ redis: node, settings: { idleTimeout: `${IDLE_MS}ms` } });
  const token = await create(USER, ATTRIBUTES);
  await node.command('CONFIG', 'RESETSTAT');
  let reads = 0;
  const startedMs = performance.now();
  for (; performance.now() - startedMs < USED_MS; reads++) {
    if ((await read(token, 'theme')) !== ATTRIBUTES.theme) throw new Error('The session was to be there');
    await sleep(1);
  }
  const tookMs = performance.now() - startedMs;
  const stats = await node.command('INFO', 'commandstats');
  const writes = Number(/cmdstat_pexpire:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  await close();
  return { reads, perTenth: writes / (tookMs / (IDLE_MS / 10)) };
}

function shown({ trips, commands }) {
  return `${trips.toLocaleString('en')} trips, ${commands.toLocaleString('en')} commands`;
}
