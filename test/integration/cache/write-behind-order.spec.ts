import { randomInt } from 'node:crypto';
import { afterEach, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { defineWriteBehind } from '../../../src/cache/write-behind/define-write-behind.js';
import type { FlushContext, WriteBehindEntry } from '../../../src/cache/write-behind/write-behind.options.js';
import { eventually } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import { writeBehindApp } from '../../support/write-behind-app.js';

expectNoLeakedConnections();

const PROCESSES = 3;
const KEYS = 12;
const WRITES = 1_500;

const apps: TestingModule[] = [];
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

type Batch = readonly WriteBehindEntry<number, number>[];

/** A source that fails at random, before or after it has taken a batch, and watches over the order. */
class WatchfulSource {
  readonly values = new Map<number, number>();
  readonly sums = new Map<number, number>();
  readonly mistakes: string[] = [];
  readonly #taken = new Set<string>();
  readonly #busy = new Set<number>();
  healthy = false;

  constructor(
    private readonly random: () => number,
    private readonly ordered: boolean,
  ) {}

  readonly flush = async (batch: Batch, { batchId, partOf }: FlushContext): Promise<void> => {
    for (const { key } of batch) {
      if (this.#busy.has(key)) this.mistakes.push(`key ${key} is flushed twice at once`);
      this.#busy.add(key);
    }
    try {
      await this.#pause();
      if (!this.healthy && this.random() < 0.2) throw new Error('not taken');
      if (!this.#knows(batchId, partOf)) this.#take(batch, batchId);
      await this.#pause();
      if (!this.healthy && this.random() < 0.2) throw new Error('taken, and nobody knows');
    } finally {
      for (const { key } of batch) this.#busy.delete(key);
    }
  };

  #knows(batchId: string, partOf: string | undefined): boolean {
    return this.#taken.has(batchId) || (partOf !== undefined && this.#taken.has(partOf));
  }

  #take(batch: Batch, batchId: string): void {
    this.#taken.add(batchId);
    for (const { key, value } of batch) {
      const before = this.values.get(key) ?? -1;
      // A dead letter that is retried may have been taken before.
      if (this.ordered && value < before) this.mistakes.push(`key ${key} went from ${before} to ${value}`);
      this.values.set(key, value);
      this.sums.set(key, (this.sums.get(key) ?? 0) + value);
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.random() * 4));
  }
}

describeTopologies((topology) => {
  it.each<'replace' | 'add'>(['replace', 'add'])(
    'several processes and a source that fails at random: each key in order, one batch at a time, and exactly the model (%s)',
    async (mode) => {
      const seed = randomInt(2 ** 31);
      console.log(`write-behind ${mode} on ${topology}: seed ${seed}`);
      const random = seededRandom(seed);
      const source = new WatchfulSource(random, mode === 'replace');
      const prefix = randomPrefix();
      const definition = defineWriteBehind<number, number>({ name: 'model', mode });
      const options = {
        flush: source.flush,
        interval: '2ms',
        batchSize: 5,
        retryDelay: '1ms',
        maxRetryDelay: '8ms',
        drainTimeout: '500ms',
        // A dead letter that is retried is new to the source, which would add it twice.
        maxAttempts: mode === 'replace' ? 3 : 1_000,
      } as const;
      const nodes = await Promise.all(
        Array.from({ length: PROCESSES }, () =>
          writeBehindApp({ definition, options, redis: sharedRedis(topology), prefix }),
        ),
      );
      apps.push(...nodes.map(({ app }) => app));
      const model = new Map<number, number>();
      for (let version = 1; version <= WRITES; version++) {
        const key = Math.floor(random() * KEYS);
        await nodes[Math.floor(random() * PROCESSES)]!.journal.write(key, mode === 'replace' ? version : 1);
        model.set(key, mode === 'replace' ? version : (model.get(key) ?? 0) + 1);
        if (random() < 0.02) await nodes[0]!.journal.retryDeadLetters();
      }
      source.healthy = true;
      const { journal } = nodes[0]!;
      await eventually(
        async () => {
          await journal.retryDeadLetters();
          expect(await journal.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 0 });
        },
        { within: '15s' },
      );
      expect(source.mistakes).toEqual([]);
      expect(mode === 'replace' ? source.values : source.sums).toEqual(model);
      if (mode === 'replace')
        expect(nodes.reduce((sum, node) => sum + node.journal.counters.entriesDead, 0)).toBeGreaterThan(0);
      expect(nodes.map(({ journal: each }) => each.counters.leasesLost)).toEqual(nodes.map(() => 0));
    },
  );
});
