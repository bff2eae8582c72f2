import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { cacheInvalidateTags, cacheReadTags } from '../../../src/cache/cache.scripts.gen.js';
import { ScriptRunner } from '../../../src/core/scripts/script-runner.js';
import { IoredisTransport } from './ioredis-transport.js';
import { ScriptServers, type ScriptTopology } from './script-servers.js';

describe.each<ScriptTopology>(['standalone', 'cluster'])('the scripts of cache tags on %s', (topology) => {
  let servers: ScriptServers;
  let scripts: ScriptRunner;
  let clock: string;
  let tags: [string, string];

  beforeAll(async () => {
    servers = await ScriptServers.start(topology);
    scripts = new ScriptRunner(new IoredisTransport(servers.client));
  });
  afterAll(() => servers.stop());
  beforeEach(() => {
    clock = `{${randomUUID()}}`;
    tags = [`${clock}:tag:a`, `${clock}:tag:b`];
  });

  const read = async (holdMs = 60_000): Promise<string[]> =>
    (await scripts.run(cacheReadTags, { clock, tags }, { holdMs })).map(String);
  const invalidate = async (holdMs = 60_000): Promise<string> =>
    String(await scripts.run(cacheInvalidateTags, { clock, tags }, { holdMs }));

  /** The server's own clock, in microseconds. */
  async function serverUs(): Promise<number> {
    const [node] = servers.connections;
    const [seconds, microseconds] = (await node?.call('TIME')) as [string, string];
    return Number(seconds) * 1_000_000 + Number(microseconds);
  }

  async function expectLeft(key: string, ms: number): Promise<void> {
    const left = await servers.client.pttl(key);
    expect(left).toBeGreaterThan(ms - 10_000);
    expect(left).toBeLessThanOrEqual(ms);
  }

  it('issue tokens by the clock of the server, with every digit', async () => {
    const before = await serverUs();
    const token = await invalidate();
    const stamp = Number(token.slice(1));
    expect(token).toMatch(/^i\d{16}$/);
    // The masters of a cluster share this machine's clock.
    expect(stamp).toBeGreaterThanOrEqual(before);
    expect(stamp).toBeLessThanOrEqual(await serverUs());
    expect(await servers.client.get(clock)).toBe(String(stamp));
    expect(await read()).toEqual([expect.stringMatching(/^\d{16}$/), token, token]);
  });

  it('never go back behind what was issued, though the clock of the server did', async () => {
    const future = (await serverUs()) + 3_600_000_000;
    await servers.client.set(clock, future, 'PX', 60_000);
    const [clockUs, made] = await read();
    expect(clockUs).toBe(String(future));
    expect(made).toBe(`c${future + 1}`);
    expect(await invalidate()).toBe(`i${future + 1}`);
    expect(await invalidate()).toBe(`i${future + 2}`);
    expect((await read())[0]).toBe(String(future + 2));
  });

  it('make a token only where a tag has none, and write no clock for it', async () => {
    await servers.client.set(tags[1], 'i5', 'PX', 60_000);
    const [, made, kept] = await read();
    expect([made, kept]).toEqual([expect.stringMatching(/^c\d{16}$/), 'i5']);
    expect(await servers.client.exists(clock)).toBe(0);
    await expectLeft(tags[0], 60_000);
  });

  it('keep a token for longer when less than three quarters of the time are left, and never for less', async () => {
    await servers.client.set(tags[0], 'i5', 'PX', 44_000);
    await servers.client.set(tags[1], 'i6', 'PX', 50_000);
    await read();
    await expectLeft(tags[0], 60_000);
    await expectLeft(tags[1], 50_000);
    await read(20_000);
    await expectLeft(tags[0], 60_000);
  });

  it('keep the clock for as long as the tokens, or nobody could tell when they were issued', async () => {
    await invalidate(30_000);
    await read(60_000);
    for (const key of [clock, ...tags]) await expectLeft(key, 60_000);
  });

  it('let the clock and the tokens of an invalidation end with their time', async () => {
    await invalidate(30_000);
    for (const key of [clock, ...tags]) await expectLeft(key, 30_000);
  });

  it('give concurrent invalidations tokens of their own', async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => invalidate()));
    expect(new Set(tokens).size).toBe(100);
    expect(await servers.client.get(tags[0])).toBe(tokens.sort().at(-1));
  });
});
