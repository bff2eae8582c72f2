/** One process of an application with sessions: `node --import ./test/support/typescript.js child.ts`. It does what its parent tells it to. */
import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { SessionEndedError, SessionModule, SessionService, type SessionHandle } from '../../../src/session/index.js';
import { serveJobs, tellNews } from '../job-process.js';
import { SECRET } from './secret.js';
import type { Act, Outcome, SessionJobs } from './protocol.js';

let app: INestApplicationContext;
let sessions: SessionService;
let read: SessionHandle[] = [];
let leave: () => void = () => undefined;

/** The root module, which imports what it was told of. */
class ChildModule {}

serveJobs<SessionJobs>({
  async open({ redis, prefix, ends }) {
    const imports = [
      RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      // Not what a busy machine does is to be tested here.
      SessionModule.forRoot({ secrets: [SECRET], redisDeadline: '20s', ...(ends === undefined ? {} : { ends }) }),
    ];
    app = await NestFactory.createApplicationContext({ module: ChildModule, imports }, { logger: false });
    sessions = app.get(SessionService);
    return null;
  },
  async read(tokens) {
    const all = await Promise.all(tokens.map((token) => sessions.get(token)));
    read = all.flatMap((session) => session ?? []);
    return read.length;
  },
  act: (acts) => Promise.all(acts.map((act, at) => perform(act, read[at] as SessionHandle))),
  async listen({ hangs }) {
    leave = sessions.onEnd(({ handle }) => {
      tellNews(handle);
      return hangs ? new Promise(() => undefined) : undefined;
    });
    return null;
  },
  async leave() {
    leave();
    return null;
  },
  async close() {
    await app.close();
    return null;
  },
});

async function perform(act: Act, session: SessionHandle): Promise<Outcome> {
  let isDone = true;
  try {
    if (act.type === 'save') await session.set(act.name, act.name).save();
    else if (act.type === 'regenerate') await session.regenerate();
    else if (act.type === 'destroy') await session.destroy();
    else if (act.type === 'revoke-all') await sessions.destroyAllForUser(session.userId as string);
  } catch (error) {
    if (!(error instanceof SessionEndedError)) throw error;
    isDone = false;
  }
  return { isDone, token: session.isNew ? null : sessions.tokenOf(session) };
}
