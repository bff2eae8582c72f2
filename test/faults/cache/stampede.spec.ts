import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../src/testing/index.js';
import { CacheProcess } from '../../support/cache-processes/cache-process.js';
import type {
  OpenSettings,
  StampedeKind,
  StampedeResult,
  StampedeSettings,
} from '../../support/cache-processes/protocol.js';
import { Source } from '../../support/cache-processes/source.js';
import { nowUs } from '../../support/job-process.js';
import { valueOf } from '../../support/cache-processes/stampede.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
  type SharedTopology,
} from '../../support/redis.js';

const PROCESSES = 4;
const CALLERS = 200;
const LEASE_MS = 1_000;
/** The default. */
const BACKOFF_MS = 500;
/** Time for every process to hear of it. */
const HEAD_START_US = 100_000;
/** What a caller may wait beyond the load, on a machine that is busy. */
const SLACK_MS = 1_500;

let children: readonly CacheProcess[];
let source: Source;
let prefix: string;
let keys = 0;

beforeAll(async () => {
  children = await CacheProcess.start(PROCESSES);
});

afterAll(() => Promise.all(children.map((child) => child.end())));

function settings(topology: SharedTopology, memory: boolean): OpenSettings {
  const sourceUrl = sharedRedis('standalone').url;
  return { redis: sharedRedis(topology), prefix, sourceUrl, memory, lease: `${LEASE_MS}ms`, redisDeadline: '5s' };
}
// Hooks run in the order in which they stand: this one has to see what the one above has closed.
expectNoLeakedConnections();

async function open(topology: SharedTopology, memory: boolean): Promise<void> {
  await Promise.all(children.map((child) => child.do('open', settings(topology, memory))));
}

async function closeAll(topology: SharedTopology): Promise<void> {
  await Promise.all(children.map((child) => child.do('close', null)));
  await expectEveryKeyExpires(topology, prefix);
}

async function loadsOf(key: string): Promise<number> {
  return (await source.loads(key)).length;
}

function newKey(): string {
  keys += 1;
  return `key-${keys}`;
}

/** All processes at once, and what all callers were given. */
async function stampede(what: Omit<StampedeSettings, 'atUs' | 'callers'>): Promise<StampedeResult> {
  const given = { ...what, callers: CALLERS, atUs: nowUs() + HEAD_START_US };
  const results = await Promise.all(children.map((child) => child.do('stampede', given)));
  const outcomes: Record<string, number> = {};
  for (const result of results) {
    for (const [outcome, count] of Object.entries(result.outcomes))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }
  return { outcomes, slowestMs: Math.max(...results.map(({ slowestMs }) => slowestMs)) };
}

beforeEach(() => {
  prefix = randomPrefix();
  source = new Source(sharedRedis('standalone').url, prefix);
});
afterEach(() => source.close());

describeTopologies((topology) => {
  describe.each([false, true])('with the memory tier %s', (memory) => {
    beforeEach(() => open(topology, memory));
    afterEach(() => closeAll(topology));

    it(`loads a cold key once for ${PROCESSES} processes of ${CALLERS} callers`, async () => {
      for (const kind of ['value', 'null', 'static tag', 'derived tag', 'batch'] as const) {
        const key = newKey();
        const { outcomes, slowestMs } = await stampede({ key, kind, loadMs: 50 });
        expect({ kind, outcomes }).toEqual({ kind, outcomes: everybody(kind, key) });
        expect({ kind, loads: await loadsOf(key) }).toEqual({ kind, loads: 1 });
        expect(slowestMs).toBeLessThan(50 + SLACK_MS);
      }
    });

    it('loads a key once again after its tag was invalidated by one of the processes', async () => {
      for (const kind of ['static tag', 'derived tag'] as const) {
        const key = newKey();
        await stampede({ key, kind, loadMs: 50 });
        for (let round = 2; round < 5; round++) {
          expect(await children[round % PROCESSES]?.do('invalidateTag', key)).toBe(true);
          const { outcomes } = await stampede({ key, kind, loadMs: 50 });
          expect({ kind, outcomes }).toEqual({ kind, outcomes: everybody(kind, key) });
          expect({ kind, loads: await loadsOf(key) }).toEqual({ kind, loads: round });
        }
      }
    });
  });

  describe('without a memory tier', () => {
    beforeEach(() => open(topology, false));
    afterEach(() => closeAll(topology));

    it('shares a failing load, and asks the loader once per backoff', async () => {
      const key = newKey();
      const failing = { key, kind: 'value', loadMs: 50, fails: true } as const;
      const { outcomes } = await stampede(failing);
      expect(await loadsOf(key)).toBe(1);
      expect(outcomes).toEqual({ Error: CALLERS, CacheLoadError: (PROCESSES - 1) * CALLERS });
      for (let loads = 1; loads < 4; loads = (await source.loads(key)).length) await stampede(failing);
      const begun = await source.loads(key);
      const gapsMs = begun.slice(1).map((at, i) => (at - (begun[i] as number)) / 1_000);
      expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(BACKOFF_MS);

      await eventually(async () =>
        expect((await stampede({ key, kind: 'value', loadMs: 50 })).outcomes).toEqual(everybody('value', key)),
      );
    });

    it('goes on loading a slow value beyond the lease, once', async () => {
      const key = newKey();
      const { outcomes } = await stampede({ key, kind: 'derived tag', loadMs: 2.5 * LEASE_MS });
      expect(outcomes).toEqual(everybody('derived tag', key));
      expect(await loadsOf(key)).toBe(1);
    });
  });

  it('passes the lease of a process that is killed on to another, which loads for all', async () => {
    const [victim] = (await CacheProcess.start(1)) as [CacheProcess];
    await open(topology, false);
    await victim.do('open', settings(topology, false));
    const key = newKey();
    const hanging = victim.do('stampede', { key, kind: 'value', callers: 1, loadMs: 0, atUs: 0, hangs: true });
    hanging.catch(() => undefined);
    await victim.untilItHangs();
    const waiting = stampede({ key, kind: 'value', loadMs: 50 });
    await victim.kill();
    const { outcomes, slowestMs } = await waiting;
    expect(outcomes).toEqual(everybody('value', key));
    // The victim's, and one.
    expect(await loadsOf(key)).toBe(2);
    expect(slowestMs).toBeLessThan(LEASE_MS + 50 + SLACK_MS);
    await closeAll(topology);
  });
});

function everybody(kind: StampedeKind, key: string): Readonly<Record<string, number>> {
  return { [JSON.stringify(valueOf(kind, key))]: PROCESSES * CALLERS };
}
