import { expect, it } from '@jest/globals';
import { whileDatabaseIsOccupied } from './support/occupy-database.js';
import { describeAdaptersOnOneDatabase } from './support/shop.js';

describeAdaptersOnOneDatabase((shop) => {
  it('is live and ready, and forbids caching either answer', async () => {
    const live = await shop().get('/health/live');
    const ready = await shop().get('/health/ready');
    expect([live.status, live.body]).toEqual([200, { status: 'ok' }]);
    expect([ready.status, ready.body]).toEqual([
      200,
      { status: 'ok', checks: { database: { status: 'up' }, redis: { status: 'up' } } },
    ]);
    expect([live, ready].map(({ headers }) => headers.get('cache-control'))).toEqual(['no-store', 'no-store']);
  });

  it('stays ready without Redis, says what is wrong with it, and recovers by itself', async () => {
    const [redis] = shop().redis.nodes;
    await redis?.kill();
    await shop().untilReadyIs('degraded');
    const ready = await shop().get('/health/ready');
    expect([ready.status, ready.body]).toEqual([
      200,
      {
        status: 'degraded',
        checks: {
          database: { status: 'up' },
          redis: { status: 'down', detail: expect.stringMatching(/.+, for \d+ s/) },
        },
      },
    ]);
    expect((await shop().get('/health/live')).status).toBe(200);

    await redis?.start();
    await shop().untilReadyIs('ok');
  });

  it('is not ready when the database is occupied for longer than half a second', async () => {
    // Held until the answer is there: it does not wait for the database.
    const ready = await whileDatabaseIsOccupied(shop(), () => shop().get('/health/ready'));
    expect([ready.status, ready.body]).toEqual([
      503,
      {
        status: 'unavailable',
        checks: { database: { status: 'down', detail: 'no answer within 500 ms' }, redis: { status: 'up' } },
      },
    ]);
    await shop().untilReadyIs('ok');
  });
});
