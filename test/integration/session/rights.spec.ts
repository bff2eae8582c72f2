import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { SessionService } from '../../../src/session/index.js';
import { eventually, startRedis } from '../../../src/testing/index.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { sessionApp } from '../../support/session-app.js';

const SCRIPTS = new URL('../../../lua/session/', import.meta.url);
const PAGE = new URL('../../../docs/sessions.md', import.meta.url);

/** What the page says that an ACL user needs. */
function documented(): string[] {
  const [, list = ''] = /^An ACL user needs([^]*?)\n\n/m.exec(readFileSync(PAGE, 'utf8')) ?? [];
  return [...list.matchAll(/`([A-Z]+)`/g)].map(([, command]) => command!.toLowerCase());
}

it('the page names each command that a script calls, and none but those that are sent otherwise', () => {
  const called = new Set(
    readdirSync(SCRIPTS).flatMap((file) =>
      [...readFileSync(new URL(file, SCRIPTS), 'utf8').matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name]) =>
        name!.toLowerCase(),
      ),
    ),
  );
  const others = ['evalsha', 'eval', 'scan', 'info', 'ping'];
  expect(documented().sort()).toEqual([...called, ...others].sort());
});

it('who may do no more than the page says has sessions', async () => {
  await using redis = await startRedis();
  const rights = documented().map((command) => `+${command}`);
  await redis.nodes[0]?.command('ACL', 'SETUSER', 'shop', 'on', '>secret', '~shop:session:*', '-@all', ...rights);
  const app = await sessionApp({
    redis: { url: redis.url.replace('redis://', 'redis://shop:secret@') },
    prefix: 'shop',
    session: { maxPerUser: 2, rotationGrace: '0ms', ends: { every: '50ms' } },
  });
  try {
    const sessions = app.get(SessionService);
    const reasons: string[] = [];
    sessions.onEnd(({ reason }) => void reasons.push(reason));
    const first = await sessions.create({ userId: 'ada', attributes: { a: 1, b: 2 } });
    first.set('a', 2).delete('b');
    await first.save();
    await first.regenerate();
    expect((await sessions.get(sessions.tokenOf(first)!))?.names()).toEqual(['a']);
    const guest = await sessions.create();
    await guest.logIn('ada');
    await sessions.create({ userId: 'ada' });
    expect(await sessions.count('ada')).toBe(2);
    await guest.destroy();
    await sessions.destroyAllForUser('ada');
    await sessions.create({ userId: 'ada', idleTimeout: '100ms' });
    await eventually(() => expect(new Set(reasons)).toEqual(new Set(['evicted', 'destroyed', 'revoked', 'expired'])));
    await sessions.destroyEverySession();
  } finally {
    await app.close();
  }
});

expectNoLeakedConnections();
