import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { cacheFill } from '../../../src/cache/cache.scripts.gen.js';
import { ScriptRunner } from '../../../src/core/scripts/script-runner.js';
import { IoredisTransport } from './ioredis-transport.js';
import { ScriptServers, type ScriptTopology } from './script-servers.js';

describe.each<ScriptTopology>(['standalone', 'cluster'])('cache/fill on %s', (topology) => {
  let servers: ScriptServers;
  let scripts: ScriptRunner;
  let entry: string;

  beforeAll(async () => {
    servers = await ScriptServers.start(topology);
    scripts = new ScriptRunner(new IoredisTransport(servers.client));
  });
  afterAll(() => servers.stop());
  beforeEach(() => {
    entry = randomUUID();
  });

  const fill = (seen: string | Buffer, value: string | Buffer = 'loaded', ttlMs = 60_000) =>
    scripts.run(cacheFill, { entry }, { value, ttlMs, seen });

  it('stores a value where the reader saw nothing, with its time to live', async () => {
    const value = Buffer.from([0, 255, 13, 10]);
    expect(await fill('', value)).toBe(1);
    expect(await servers.client.getBuffer(entry)).toEqual(value);
    const ttlMs = await servers.client.pttl(entry);
    expect(ttlMs).toBeGreaterThan(50_000);
    expect(ttlMs).toBeLessThanOrEqual(60_000);
  });

  it('leaves a value alone that was written meanwhile, and its time to live', async () => {
    await servers.client.set(entry, 'newer', 'PX', 5_000);
    expect(await fill('')).toBe(0);
    expect(await servers.client.get(entry)).toBe('newer');
    expect(await servers.client.pttl(entry)).toBeLessThanOrEqual(5_000);
  });

  it('replaces the bytes that the reader could not decode', async () => {
    const broken = Buffer.from([0xff, 0, 0xfe]);
    await servers.client.set(entry, broken);
    expect(await fill(broken)).toBe(1);
    expect(await servers.client.get(entry)).toBe('loaded');
    expect(await servers.client.pttl(entry)).toBeGreaterThan(50_000);
  });

  it('leaves a value alone that took the place of those bytes', async () => {
    await servers.client.set(entry, 'repaired');
    expect(await fill('broken')).toBe(0);
    expect(await servers.client.get(entry)).toBe('repaired');
  });

  it('stores nothing where those bytes were deleted meanwhile', async () => {
    expect(await fill('broken')).toBe(0);
    expect(await servers.client.exists(entry)).toBe(0);
  });

  it.each(['', 'broken'])('leaves a key of another type alone when the reader saw "%s"', async (seen) => {
    await servers.client.hset(entry, 'field', 'value');
    expect(await fill(seen)).toBe(0);
    expect(await servers.client.hgetall(entry)).toEqual({ field: 'value' });
    expect(await servers.client.pttl(entry)).toBe(-1);
  });

  it.each([0, -1, Number.MIN_SAFE_INTEGER])(
    'writes nothing for a time to live of %d ms, which the server refuses',
    async (ttlMs) => {
      await expect(fill('', 'loaded', ttlMs)).rejects.toMatchObject({ replyCode: 'ERR' });
      expect(await servers.client.exists(entry)).toBe(0);
    },
  );

  it('lets one of many writers win', async () => {
    const writers = Array.from({ length: 50 }, (_, id) => fill('', `value ${id}`));
    const outcomes = await Promise.all(writers);
    expect(outcomes.filter((outcome) => outcome === 1)).toHaveLength(1);
    expect(await servers.client.get(entry)).toBe(`value ${outcomes.indexOf(1)}`);
  });
});
