/**
 * One process of an application with a journal, to be killed: `node --import ./test/support/typescript.js write-behind-child.ts '<ChildSettings>'`.
 * It writes what its parent tells it to, and flushes into a source that takes each batch once.
 */
import 'reflect-metadata';
import { Redis } from 'ioredis';
import type { FlushContext, WriteBehindEntry } from '../../src/cache/write-behind/write-behind.options.js';
import { defineWriteBehind } from '../../src/cache/write-behind/define-write-behind.js';
import { writeBehindApp } from './write-behind-app.js';
import { sourceKeys, type ChildSettings, type FromChild, type ToChild } from './write-behind-protocol.js';

/** Takes a batch and its id together, and no batch twice: what a table with a unique id does in a transaction. */
const TAKE = `
  if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 or redis.call('SISMEMBER', KEYS[1], ARGV[2]) == 1 then
    redis.call('HINCRBY', KEYS[3], ARGV[1], 1)
    return 0
  end
  redis.call('SADD', KEYS[1], ARGV[1])
  for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1]) end
  return 1`;

await main(JSON.parse(process.argv[2] ?? '') as ChildSettings);

async function main({ redisUrl, sourceUrl, prefix, hang }: ChildSettings): Promise<void> {
  const source = new Redis(sourceUrl);
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * 15));
  const hangIf = async (where: typeof hang, batchId: string): Promise<void> => {
    if (hang !== where) return;
    tell({ hanging: batchId });
    await new Promise(() => undefined);
  };

  const flush = async (
    batch: readonly WriteBehindEntry<number, number>[],
    { batchId, partOf = '' }: FlushContext,
  ): Promise<void> => {
    await pause();
    await hangIf('before', batchId);
    const words = batch.flatMap(({ key, value }) => [key, value]);
    await source.eval(TAKE, 3, ...sourceKeys(prefix), batchId, partOf, ...words);
    await hangIf('after', batchId);
    await pause();
  };

  const { journal } = await writeBehindApp({
    definition: defineWriteBehind<number, number>({ name: 'killed', mode: 'add' }),
    options: { flush, interval: '10ms', batchSize: 20, lease: '300ms', retryDelay: '10ms' },
    redis: { url: redisUrl },
    prefix,
  });
  process.on('message', ({ write, key, by, id }: ToChild) => {
    journal.write(key, by, { id }).then(
      () => tell({ acknowledged: write }),
      () => tell({ failed: write }),
    );
  });
  process.on('disconnect', () => process.exit());
  tell({ ready: true });
}

function tell(message: FromChild): void {
  process.send?.(message);
}
