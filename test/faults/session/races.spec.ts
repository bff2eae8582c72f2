import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { SessionService } from '../../../src/session/index.js';
import {
  describeTopologies,
  expectNoLeakedConnections,
  keysUnder,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import { sessionApp } from '../../support/session-app.js';
import type { Act } from '../../support/session-processes/protocol.js';
import { SessionProcess } from '../../support/session-processes/session-process.js';

/** `SEED=<n>` repeats the choices of a run, `ROUNDS=<n>` makes it that many races. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const PROCESSES = 3;
const A_BATCH = 250;

describeTopologies((topology) => {
  const ROUNDS = Number(process.env.ROUNDS ?? (topology === 'standalone' ? 2_500 : 500));
  const prefix = randomPrefix();
  const random = seededRandom(SEED);
  let app: TestingModule;
  let sessions: SessionService;
  let processes: readonly SessionProcess[];

  beforeAll(async () => {
    const redis = sharedRedis(topology);
    app = await sessionApp({ redis, prefix, session: { redisDeadline: '20s' } });
    sessions = app.get(SessionService);
    processes = await SessionProcess.start(PROCESSES);
    await Promise.all(processes.map((process) => process.do('open', { redis, prefix })));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.do('close', null)));
    await Promise.all(processes.map((process) => process.end()));
    await app.close();
  });

  /** One thing for each process to do with one session, at the same time. */
  const race = (): Act[] => {
    const acts: Act[] = Array.from({ length: PROCESSES }, (_, at) => ({ type: 'save', name: `by${at}` }));
    const dice = random();
    const at = Math.floor(random() * PROCESSES);
    if (dice < 0.3) acts[at] = { type: 'destroy' };
    else if (dice < 0.4) acts[at] = { type: 'revoke-all' };
    else if (dice < 0.6) acts[at] = { type: 'regenerate' };
    if (dice < 0.1) acts[(at + 1) % PROCESSES] = { type: 'regenerate' };
    return acts;
  };

  it(`of ${ROUNDS} sessions that ${PROCESSES} processes change, renew and end at once, none loses an attribute, and none comes back (SEED=${SEED})`, async () => {
    const found = { races: 0, ended: 0, renewed: 0, saved: 0, lost: 0, revived: 0, ghosts: 0 };
    while (found.races < ROUNDS) {
      const users = Array.from({ length: A_BATCH }, (_, at) => `user-${found.races + at}`);
      const made = await Promise.all(users.map((userId) => sessions.create({ userId })));
      const tokens = made.map((session) => sessions.tokenOf(session)!);
      const races = tokens.map(race);
      const counts = await Promise.all(processes.map((process) => process.do('read', tokens)));
      expect(counts).toEqual(processes.map(() => A_BATCH));
      const outcomes = await Promise.all(
        processes.map((process, by) =>
          process.do(
            'act',
            races.map((acts) => acts[by]!),
          ),
        ),
      );
      for (let at = 0; at < A_BATCH; at++) {
        const acts = races[at]!;
        const isEnded = acts.some(({ type }) => type === 'destroy' || type === 'revoke-all');
        const known = [tokens[at]!, ...outcomes.flatMap((each) => each[at]!.token ?? [])];
        const after = await Promise.all([...new Set(known)].map((token) => sessions.peek(token)));
        const alive = after.filter((session) => session !== null);
        found.ended += isEnded ? 1 : 0;
        found.ghosts += isEnded ? await sessions.count(users[at]!) : 0;
        if (isEnded) {
          found.revived += alive.length;
          continue;
        }
        found.renewed += acts.some(({ type }) => type === 'regenerate') ? 1 : 0;
        const listed = await sessions.listForUser(users[at]!);
        expect(listed).toHaveLength(1);
        const names = new Set(alive.find(({ handle }) => handle === listed[0]!.handle)?.names());
        const written = acts.flatMap((act, by) => (act.type === 'save' && outcomes[by]![at]!.isDone ? [act.name] : []));
        expect(written).toHaveLength(acts.filter(({ type }) => type === 'save').length);
        found.saved += written.length;
        found.lost += written.filter((name) => !names.has(name)).length;
      }
      found.races += A_BATCH;
      await Promise.all(users.map((user) => sessions.destroyAllForUser(user)));
    }
    console.log(`${topology}: ${JSON.stringify(found)}`);
    expect(found).toMatchObject({ lost: 0, revived: 0, ghosts: 0 });
    expect(found.ended).toBeGreaterThan(ROUNDS / 5);
    expect(await keysUnder(topology, prefix)).toEqual([]);
  }, 600_000);
});

expectNoLeakedConnections();
