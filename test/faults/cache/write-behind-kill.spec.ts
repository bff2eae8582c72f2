import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually, startRedis, type RedisServer } from '../../../src/testing/index.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { sourceKeys, type FromChild } from '../../support/write-behind-protocol.js';
import { WriteBehindProcess } from '../../support/write-behind-process.js';
import { seededRandom } from '../../support/seeded-random.js';

const { url: sourceUrl } = sharedRedis('standalone');

let server: RedisServer;
let source: Redis;
let prefix: string;
const children = new Set<WriteBehindProcess>();

beforeAll(async () => {
  server = await startRedis({ appendOnly: true });
  source = new Redis(sourceUrl);
});
afterAll(async () => {
  await source.unlink(...sourceKeys(prefix));
  source.disconnect();
  await server.stop();
});
// Hooks run in the order in which they stand: this one has to see what the one above has closed.
expectNoLeakedConnections();
beforeEach(() => {
  prefix = randomPrefix();
});
afterEach(() => Promise.all([...children].map(kill)));

async function start(hang?: 'before' | 'after', onMessage?: (message: FromChild) => void): Promise<WriteBehindProcess> {
  const settings = { redisUrl: server.url, sourceUrl, prefix, ...(hang === undefined ? {} : { hang }) };
  const child = new WriteBehindProcess(settings, onMessage);
  children.add(child);
  return child.untilReady();
}

async function kill(child: WriteBehindProcess): Promise<void> {
  children.delete(child);
  await child.kill();
}

const sums = (): Promise<Record<string, string>> => source.hgetall(sourceKeys(prefix)[1]);
const skipped = (): Promise<Record<string, string>> => source.hgetall(sourceKeys(prefix)[2]);

describe('kill -9', () => {
  it.each<'before' | 'after'>(['before', 'after'])(
    'in the middle of a flush, %s the source has taken the batch: another process takes it over, and it counts once',
    async (where) => {
      let acknowledged = 0;
      const victim = await start(where, (message) => {
        if ('acknowledged' in message) acknowledged += 1;
      });
      for (let write = 0; write < 5; write++) victim.tell({ write, key: 7, by: 10, id: `${write}` });
      await eventually(() => expect(acknowledged).toBe(5));
      const batchId = await victim.untilItHangs();
      await kill(victim);

      await start();
      await eventually(
        async () => {
          expect(await sums()).toEqual({ 7: '50' });
          // The same id under which the dead process had it.
          if (where === 'after') expect(await skipped()).toEqual({ [batchId]: '1' });
          else expect(await source.sismember(sourceKeys(prefix)[0], batchId)).toBe(1);
        },
        { within: '10s' },
      );
    },
  );

  it('of one process after the other loses nothing that was acknowledged, and counts nothing twice', async () => {
    const seed = randomInt(2 ** 31);
    console.log(`write-behind and kill -9: seed ${seed}`);
    const random = seededRandom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const open = new Map<number, { readonly key: number; readonly by: number }>();
    const acknowledged = new Map<string, number>();
    let unknown = 0;

    const settle = (message: FromChild): void => {
      if (!('acknowledged' in message)) return;
      const write = open.get(message.acknowledged);
      if (write === undefined) return;
      open.delete(message.acknowledged);
      acknowledged.set(`${write.key}`, (acknowledged.get(`${write.key}`) ?? 0) + write.by);
    };
    const send = (to: WriteBehindProcess, write: number): void => {
      const { key, by } = open.get(write)!;
      to.tell({ write, key, by, id: `${write}` });
    };
    const processes = await Promise.all([start(undefined, settle), start(undefined, settle), start(undefined, settle)]);

    let next = 0;
    for (let round = 0; round < 4; round++) {
      const until = next + 300;
      const victim = pick(3);
      const killAt = next + 100 + pick(190);
      let killed: Promise<void> | undefined;
      while (next < until) {
        next += 1;
        open.set(next, { key: pick(40), by: 1 + pick(9) });
        send(processes[pick(3)]!, next);
        if (next === killAt) killed = kill(processes[victim]!);
        if (next % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await killed;
      processes[victim] = await start(undefined, settle);
    }
    // Nobody knows whether the killed processes had journalled these: the ids make it safe to write them again.
    await eventually(
      () => {
        unknown = Math.max(unknown, open.size);
        for (const write of open.keys()) send(processes[pick(3)]!, write);
        expect(open.size).toBe(0);
      },
      { every: '200ms' },
    );

    await eventually(
      async () => {
        const taken = await sums();
        expect(Object.fromEntries(Object.entries(taken).map(([key, sum]) => [key, Number(sum)]))).toEqual(
          Object.fromEntries(acknowledged),
        );
      },
      { within: '15s' },
    );
    const repeated = Object.keys(await skipped()).length;
    console.log(`${next} writes, 6 kills: ${unknown} written again, ${repeated} batches flushed again and skipped`);
  }, 240_000);
});
