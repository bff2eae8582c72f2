import { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { DedicatedLink } from '../../../src/core/redis/clients/dedicated-link.js';
import { eventually } from '../../../src/testing/index.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

/** A link whose every connection is dealt with by `onReady`, and the moments at which it was opened. */
function linkTo(onReady: (client: Redis) => void): { readonly link: DedicatedLink; readonly openedMs: number[] } {
  const openedMs: number[] = [];
  const link = new DedicatedLink({
    target: {
      open: () => {
        openedMs.push(performance.now());
        return new Redis(sharedRedis('standalone').url, { lazyConnect: true, retryStrategy: null });
      },
      leadsThere: () => true,
      lookAgain: () => undefined,
    },
    handshakeMs: 5_000,
    onReady,
  });
  link.start();
  return { link, openedMs };
}

describe('a link', () => {
  it('makes pauses when each connection ends as soon as it is ready', async () => {
    const { link, openedMs } = linkTo((client) => client.disconnect());
    await eventually(() => expect(openedMs.length).toBeGreaterThan(6), { within: '10s' });
    link.close();
    expect((openedMs[6] as number) - (openedMs[0] as number)).toBeGreaterThan(500);
  });

  it('is back at once when a connection that was good breaks, whatever came before', async () => {
    let kept: { readonly client: Redis; readonly readyMs: number } | undefined;
    let ready = 0;
    const { link, openedMs } = linkTo((client) => {
      ready += 1;
      if (ready < 6) client.disconnect();
      else kept ??= { client, readyMs: performance.now() };
    });
    await eventually(() => expect(performance.now() - (kept?.readyMs ?? Infinity)).toBeGreaterThan(1_100));
    const before = openedMs.length;
    using own = new OwnTime();
    kept?.client.disconnect();
    await eventually(() => expect(openedMs.length).toBeGreaterThan(before), { every: '1ms' });
    // Otherwise 250 ms at least, after so many attempts.
    expect(own.ms).toBeLessThan(200);
    link.close();
  });
});
