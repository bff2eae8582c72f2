import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { SessionService, type SessionEnd } from '../../../src/session/index.js';
import { eventually } from '../../../src/testing/index.js';
import { expectEveryKeyExpires, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { sessionApp } from '../../support/session-app.js';
import { SessionProcess } from '../../support/session-processes/session-process.js';

const ENDS = { every: '20ms', retryAfter: '300ms' } as const;
const SESSIONS = 40;

const prefix = randomPrefix();
const redis = sharedRedis('standalone');
let app: TestingModule;
let sessions: SessionService;

beforeAll(async () => {
  app = await sessionApp({ redis, prefix, session: { ends: ENDS } });
  sessions = app.get(SessionService);
});
afterAll(async () => {
  await expectEveryKeyExpires('standalone', prefix);
  await app.close();
});

it('an end that a process had taken when it was killed is told by another', async () => {
  const [process] = (await SessionProcess.start(1)) as [SessionProcess];
  await process.do('open', { redis, prefix, ends: ENDS });
  // It never is done with any.
  await process.do('listen', { hangs: true });
  const made = await Promise.all(Array.from({ length: SESSIONS }, (_, i) => sessions.create({ userId: `user-${i}` })));
  const handles = made.map(({ handle }) => handle).sort();
  await Promise.all(made.map((session) => session.destroy()));
  // Its listener, which hangs, does not keep it from those that came after its first look.
  await eventually(() => expect([...new Set(process.news)].sort()).toEqual(handles), { within: '20s' });
  await process.kill();

  const told: SessionEnd[] = [];
  const leave = sessions.onEnd((end) => void told.push(end));
  await eventually(() => expect(told.map(({ handle }) => handle).sort()).toEqual(handles), { within: '20s' });
  leave();
}, 60_000);

it('every end is told, however listeners leave and come in two processes', async () => {
  const [process] = (await SessionProcess.start(1)) as [SessionProcess];
  await process.do('open', { redis, prefix, ends: ENDS });
  const told = new Set<string>();
  const handles: string[] = [];
  const end = async (): Promise<void> => {
    const made = await Promise.all(Array.from({ length: 4 }, (_, i) => sessions.create({ userId: `user-${i}` })));
    handles.push(...made.map(({ handle }) => handle as string));
    await Promise.all(made.map((session) => session.destroy()));
  };
  for (let round = 0; round < SESSIONS; round++) {
    const leave = sessions.onEnd(({ handle }) => void told.add(handle));
    await end();
    await process.do('listen', { hangs: false });
    leave();
    await end();
    await process.do('leave', null);
    await end();
  }
  // What the last to leave had taken comes to who comes now.
  sessions.onEnd(({ handle }) => void told.add(handle));
  await eventually(() => expect(new Set([...told, ...process.news])).toEqual(new Set(handles)), { within: '20s' });
  await process.kill();
}, 60_000);

expectNoLeakedConnections();
