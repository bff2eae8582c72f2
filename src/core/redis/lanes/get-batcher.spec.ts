import type { Command } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { newConnectionCounters } from '../connection-counters.js';
import { GetBatcher } from './get-batcher.js';

interface Sent {
  readonly keys: readonly string[];
  readonly deadlineMs: number;
}

/** A server that knows `value-of-<key>` for every key but `absent`, and groups keys by their first letter. */
function start(
  valueOf: (key: string) => Buffer | null = (key) => (key === 'absent' ? null : Buffer.from(`value-of-${key}`)),
): {
  readonly batcher: GetBatcher;
  readonly sent: Sent[];
  readonly replies: (Buffer | null)[][];
  readonly counters: ReturnType<typeof newConnectionCounters>;
} {
  const sent: Sent[] = [];
  const replies: (Buffer | null)[][] = [];
  const counters = newConnectionCounters();
  const batcher = new GetBatcher(
    (key) => key.charCodeAt(0),
    (command: Command, deadlineMs, onReply, onError) => {
      const keys = command.args as string[];
      expect(command.name).toBe('mget');
      sent.push({ keys, deadlineMs });
      const reply = keys.map(valueOf);
      replies.push(reply);
      if (keys.includes('x-fails')) setImmediate(onError, new Error('lost'));
      else setImmediate(onReply, reply);
    },
    counters,
  );
  return { batcher, sent, replies, counters };
}

describe('GetBatcher', () => {
  it('turns the reads of one tick into one MGET, and gives each caller its own value', async () => {
    const { batcher, sent, counters } = start();
    const values = await Promise.all(['a1', 'a2', 'absent', 'a1'].map((key) => batcher.get(key, 100)));
    expect(values.map(String)).toEqual(['value-of-a1', 'value-of-a2', 'null', 'value-of-a1']);
    expect(sent).toEqual([{ keys: ['a1', 'a2', 'absent', 'a1'], deadlineMs: 100 }]);
    expect(counters.readsBatched).toBe(4);
  });

  it('lets the first reads of a turn leave with their tick, and the later ones when they are enough or the turn ends', async () => {
    const { batcher, sent, counters } = start();
    const readInTicks = async (...ticks: readonly number[]): Promise<void> => {
      for (const count of ticks) {
        for (let i = 0; i < count; i++) void batcher.get('a', 100);
        await new Promise(process.nextTick);
      }
    };
    const sizes = (): number[] => sent.map(({ keys }) => keys.length);

    await readInTicks(1);
    expect(sizes()).toEqual([1]);
    await readInTicks(2, 3);
    expect(sizes()).toEqual([1]);
    await readInTicks(3);
    expect(sizes()).toEqual([1, 8]);
    await readInTicks(10, 2);
    expect(sizes()).toEqual([1, 8, 10]);
    await new Promise(setImmediate);
    expect(sizes()).toEqual([1, 8, 10, 2]);
    await readInTicks(4);
    expect(sizes()).toEqual([1, 8, 10, 2, 4]);
    expect(counters.readsBatched).toBe(24);
  });

  it('leaves nothing in the arrays of replies', async () => {
    const { batcher, replies } = start();
    await Promise.all(['a1', 'a2'].map((key) => batcher.get(key, 100)));
    expect(replies).toEqual([[null, null]]);
  });

  it('keeps groups and deadlines apart', async () => {
    const { batcher, sent } = start();
    await Promise.all([
      batcher.get('a1', 100),
      batcher.get('b1', 100),
      batcher.get('a2', 50),
      batcher.get('a3', 100),
      batcher.get('b2', 100),
    ]);
    const batches = sent.map(({ keys, deadlineMs }) => `${keys.join()} in ${deadlineMs}`);
    expect(batches.sort()).toEqual(['a1,a3 in 100', 'a2 in 50', 'b1,b2 in 100']);
  });

  it('fails those of one batch together, and no others', async () => {
    const { batcher } = start();
    const [x1, x2, a1] = await Promise.allSettled([
      batcher.get('x-fails', 100),
      batcher.get('x2', 100),
      batcher.get('a1', 100),
    ]);
    expect([x1.status, x2.status, a1.status]).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  it('sends at most 64 keys at once, and fewer when values are large', async () => {
    const longest = ({ sent }: { readonly sent: readonly Sent[] }): number =>
      Math.max(...sent.map(({ keys }) => keys.length));
    const readMany = async (server: ReturnType<typeof start>): Promise<number> => {
      server.sent.length = 0;
      const values = await Promise.all(Array.from({ length: 200 }, (_, i) => server.batcher.get(`a${i}`, 100)));
      expect(values).toHaveLength(200);
      return longest(server);
    };
    expect(await readMany(start())).toBe(64);

    const [sixteenKib, oneMib] = [Buffer.alloc(16 * 1024), Buffer.alloc(1024 * 1024)];
    const large = start(() => sixteenKib);
    for (let round = 0; round < 10; round++) await readMany(large);
    expect(await readMany(large)).toBeLessThan(64);

    const huge = start(() => oneMib);
    for (let round = 0; round < 10; round++) await readMany(huge);
    expect(await readMany(huge)).toBe(4);
  });
});
