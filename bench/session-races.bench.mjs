// Claim: requests at once that change different attributes of a session lose nothing, and who has logged out is not logged in again by a request that ends late.
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { Crew } from './lib/crew.mjs';
import { header, limit, lines } from './lib/report.mjs';
import { PACKAGES } from './lib/sessions/index.mjs';

/** A round is so many races. */
const RACES = 500;
const { rounds } = readArgs({ rounds: 20, quickRounds: 2 });
const LIBRARIES = ['rookery', 'connect-redis'];

const redis = await startRedis();
const [{ host, port }] = redis.nodes;
const races = RACES * rounds;
header(`${races.toLocaleString('en')} races of each kind, in two processes`, PACKAGES, redis);

const rows = [];
for (const library of LIBRARIES) {
  const crew = await Crew.start(new URL('./workers/session-races.mjs', import.meta.url), 2, {
    library,
    redis: { host, port },
  });
  let [lost, revived] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    lost += await lostBySaves(crew);
    revived += await revivedBySaves(crew);
  }
  rows.push({ library, lost, revived });
  await crew.stop();
}
lines(
  'What became of them',
  rows.map(({ library, lost, revived }) => [
    library,
    `${lost.toLocaleString('en')} sessions that lost a change, ${revived.toLocaleString('en')} that came back after the logout`,
  ]),
);
limit('rookery, sessions that lost a change', rows[0].lost, 0);
limit('rookery, sessions that came back after the logout', rows[0].revived, 0);
await redis.stop();

/** Each process changes an attribute of its own in each session. */
async function lostBySaves(crew) {
  const tokens = await crew.askOne(0, 'create', { count: RACES, attributes: { theme: 'dark' } });
  await Promise.all(['left', 'right'].map((name, member) => crew.askOne(member, 'change', { tokens, name })));
  return RACES - (await crew.askOne(0, 'holding', { tokens, names: ['left', 'right'] }));
}

/** One process logs out of each session, another changes it: whatever comes first, nothing is to be left. */
async function revivedBySaves(crew) {
  const tokens = await crew.askOne(0, 'create', { count: RACES, attributes: { here: 1 } });
  await Promise.all([crew.askOne(0, 'logOut', { tokens }), crew.askOne(1, 'change', { tokens, name: 'late' })]);
  return crew.askOne(1, 'holding', { tokens, names: ['here'] });
}
