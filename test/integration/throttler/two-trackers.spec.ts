import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { parseList } from 'structured-headers';
import { RateLimiter, type RateLimitPolicy, type Tracker } from '../../../src/throttler/index.js';
import { KeySpace } from '../../../src/core/keys/key-space.js';
import { eventually, startRedis, type RedisNode } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { throttlerService } from '../../support/throttler-app.js';

@Controller()
class ReportsController {
  @Get('reports')
  reports(): string {
    return 'reports';
  }
}

const byHeader =
  (name: string): Tracker =>
  ({ headers }) => [name, String(headers[name])];

/** A team shares a limit, and a user has one; on a Cluster they lie on different nodes. */
const POLICIES: readonly RateLimitPolicy[] = [
  { name: 'team', limit: 10, window: '1h', tracker: byHeader('team') },
  { name: 'team-at-once', concurrent: 5, tracker: byHeader('team') },
  { name: 'user', limit: 2, window: '1h', tracker: byHeader('user') },
];

describeTopologies((topology) => {
  let app: INestApplication;
  let url: string;
  beforeEach(async () => {
    ({ app, url } = await throttlerService('fastify', {
      redis: sharedRedis(topology),
      throttler: { policies: POLICIES, maxCallers: 0 },
      controllers: [ReportsController],
    }));
  });
  afterEach(() => app.close());

  const ask = (team: string, user: string): Promise<Response> => fetch(`${url}/reports`, { headers: { team, user } });
  const remaining = (response: Response): Record<string, unknown> =>
    Object.fromEntries(
      parseList(response.headers.get('ratelimit') ?? '').map(([name, parameters]) => [name, parameters.get('r')]),
    );

  it('charges all or none, whichever of them refuses, and says where the caller stands with each', async () => {
    for (const user of ['ada', 'grace', 'joan', 'mary']) {
      for (const left of [1, 0]) {
        const admitted = await ask('compilers', user);
        expect([admitted.status, remaining(admitted)['user']]).toEqual([200, left]);
      }
      const refused = await ask('compilers', user);
      expect(refused.status).toBe(429);
      expect(await refused.json()).toMatchObject({ 'violated-policies': ['user'] });
      const { team, user: own } = remaining(refused) as { team: number; user: number };
      expect([team, own]).toEqual([10 - 2 * (['ada', 'grace', 'joan', 'mary'].indexOf(user) + 1), 0]);
    }
    const limiter = app.get(RateLimiter);
    // What a refusal had taken for a moment is back: eight requests were admitted.
    const standing = await limiter.peek(['team', 'team-at-once'], ['team', 'compilers']);
    expect(standing.policies.map((policy) => policy.remaining)).toEqual([2, 5]);

    // The other way round: the team has no more, and its users keep theirs.
    for (let i = 0; i < 2; i++) expect((await ask('compilers', 'barbara')).status).toBe(200);
    for (let i = 0; i < 3; i++) {
      const refused = await ask('compilers', 'margaret');
      expect([refused.status, await refused.json()]).toEqual([
        429,
        expect.objectContaining({ 'violated-policies': ['team'] }),
      ]);
    }
    expect((await limiter.peek('user', ['user', 'margaret'])).policies[0]?.remaining).toBe(2);
  });

  it('admits exactly what each limit has room for, of many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => ask('kernels', `user-${i % 3}`)));
    // Six could be; one that is refused may have been in the way of another for a moment.
    const admitted = answers.filter(({ status }) => status === 200).length;
    expect(admitted).toBeLessThanOrEqual(6);
    expect(admitted).toBeGreaterThan(0);
    const limiter = app.get(RateLimiter);
    await eventually(async () => {
      const { policies } = await limiter.peek(['team', 'team-at-once'], ['team', 'kernels']);
      expect(policies.map((policy) => policy.remaining)).toEqual([10 - admitted, 5]);
    });
  });
});

it('gives back what was taken on one node when another stands still, and decides without Redis', async () => {
  const redis = await startRedis({ topology: 'cluster' });
  const prefix = randomPrefix();
  const { app, url } = await throttlerService('fastify', {
    redis: redis.connectionOptions,
    prefix,
    throttler: { policies: POLICIES, redisDeadline: '500ms', maxCallers: 0 },
    controllers: [ReportsController],
  });
  try {
    const holderOf = async (...caller: string[]): Promise<RedisNode> => {
      const key = new KeySpace(prefix, 'limit').key(caller);
      const asked = redis.masters.map(async (node) => node.command('EXISTS', key).then(() => node));
      return Promise.any(asked);
    };
    const ofTeam = await holderOf('team', 'compilers');
    const users = await Promise.all(
      ['ada', 'grace', 'joan', 'mary', 'barbara', 'margaret'].map(async (user) => ({
        user,
        node: await holderOf('user', user),
      })),
    );
    const { user, node } = users.find((each) => each.node !== ofTeam) as (typeof users)[number];
    const ask = (): Promise<Response> => fetch(`${url}/reports`, { headers: { team: 'compilers', user } });
    expect((await ask()).status).toBe(200);

    await node.pause();
    const { counters } = app.get(RateLimiter);
    expect((await ask()).status).toBe(200);
    expect(counters.decidedWithoutRedis).toBe(1);
    const standing = await app.get(RateLimiter).peek(['team', 'team-at-once'], ['team', 'compilers']);
    expect(standing.policies.map((policy) => policy.remaining)).toEqual([9, 5]);
    await node.resume();
  } finally {
    await app.close();
    await redis.stop();
  }
}, 60_000);

expectNoLeakedConnections();
