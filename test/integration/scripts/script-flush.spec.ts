import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { ScriptRunner } from '../../../src/core/scripts/script-runner.js';
import { fixtureAppend } from '../../support/fixture/fixture.scripts.gen.js';
import { IoredisTransport } from './ioredis-transport.js';
import { ScriptServers, type ScriptTopology } from './script-servers.js';

/** fast-check prints the seed of a run that fails. */
const RUNS = { numRuns: 60 };

describe.each<ScriptTopology>(['standalone', 'cluster'])('SCRIPT FLUSH amid many calls on %s', (topology) => {
  let servers: ScriptServers;
  beforeAll(async () => {
    servers = await ScriptServers.start(topology);
  });
  afterAll(() => servers.stop());

  /** Appends 0, 1, 2, ... to one list in one `runMany`, and looks at what came of it. */
  async function append(count: number, before: (place: number) => void) {
    const log = randomUUID();
    const transport = new IoredisTransport(servers.client);
    transport.before = before;
    const scripts = new ScriptRunner(transport);
    const calls = Array.from({ length: count }, (_, id) => ({ keys: { log }, args: { entries: [`${id}`] } }));
    const replies = await scripts.runMany(fixtureAppend, calls);
    return { replies, list: await servers.client.lrange(log, 0, -1), attempts: transport.sent.length };
  }

  const ids = (count: number) => Array.from({ length: count }, (_, id) => `${id}`);

  it('runs every call once and in order, wherever the flush falls', async () => {
    let split = 0;
    const scenario = fc.record({ count: fc.integer({ min: 1, max: 40 }), flushAt: fc.integer({ min: 0, max: 40 }) });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ count, flushAt }) => {
        const { replies, list, attempts } = await append(count, (place) => {
          if (place === flushAt) void servers.flushScripts();
        });
        expect(list).toEqual(ids(count));
        expect(replies).toEqual(list.map((_, place) => place + 1));
        if (attempts > count && attempts < 2 * count) split++;
      }),
      RUNS,
    );
    expect(split).toBeGreaterThan(0);
  });

  it('runs every call once when others load the script again meanwhile, those in the gap last', async () => {
    const place = fc.integer({ min: 0, max: 40 });
    const scenario = fc.record({ count: fc.integer({ min: 1, max: 40 }), flushAt: place, gap: place });
    let reordered = 0;
    await fc.assert(
      fc.asyncProperty(scenario, async ({ count, flushAt, gap }) => {
        await servers.loadScript(fixtureAppend.source);
        const { replies, list } = await append(count, (at) => {
          if (at === flushAt) void servers.flushScripts();
          if (at === flushAt + gap) void servers.loadScript(fixtureAppend.source);
        });
        const inGap = (id: string) => Number(id) >= flushAt && Number(id) < flushAt + gap;
        const all = ids(count);
        const expected = [...all.filter((id) => !inGap(id)), ...all.filter(inGap)];
        expect(list).toEqual(expected);
        expect(replies).toEqual(all.map((id) => expected.indexOf(id) + 1));
        if (expected.join() !== all.join()) reordered++;
      }),
      RUNS,
    );
    expect(reordered).toBeGreaterThan(0);
  });

  it('runs every call once while another client flushes without pause', async () => {
    let flushing = true;
    const flusher = (async () => {
      while (flushing) await Promise.all(servers.server.masters.map((node) => node.command('SCRIPT', 'FLUSH')));
    })();
    try {
      for (let round = 0; round < 20; round++) {
        const { replies, list } = await append(300, () => undefined);
        expect([...list].sort((left, right) => Number(left) - Number(right))).toEqual(ids(300));
        expect(replies.map((length) => list[length - 1])).toEqual(ids(300));
      }
    } finally {
      flushing = false;
      await flusher;
    }
  });
});
