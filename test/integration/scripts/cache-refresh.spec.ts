import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { cacheClaimRefresh, cacheSettleRefresh } from '../../../src/cache/cache.scripts.gen.js';
import { EntryIds } from '../../../src/cache/entry/entry-id.js';
import { HEAD_LENGTH, StoredValue, writeFailure, writeLease } from '../../../src/cache/entry/entry-format.js';
import { ScriptRunner } from '../../../src/core/scripts/script-runner.js';
import { IoredisTransport } from './ioredis-transport.js';
import { ScriptServers, type ScriptTopology } from './script-servers.js';

const ids = new EntryIds();
const newMarker = (): string => writeLease(ids.next());
const newValue = (): string => `\x02\x01${ids.next()}\x00000000000000000value`;
const headOf = (value: string): string => value.slice(0, HEAD_LENGTH);

describe.each<ScriptTopology>(['standalone', 'cluster'])('the scripts of a refresh on %s', (topology) => {
  let servers: ScriptServers;
  let scripts: ScriptRunner;
  let entry: string;
  let lease: string;
  let value: string;

  beforeAll(async () => {
    servers = await ScriptServers.start(topology);
    scripts = new ScriptRunner(new IoredisTransport(servers.client));
  });
  afterAll(() => servers.stop());
  beforeEach(async () => {
    entry = `{${randomUUID()}}`;
    lease = `${entry}:refresh`;
    value = newValue();
    await servers.client.set(entry, value, 'PX', 30_000);
  });

  const get = (key: string): Promise<string | null> => servers.client.get(key);
  const claim = (marker: string, waits = 0) =>
    scripts.run(cacheClaimRefresh, { entry, lease }, { seen: headOf(value), marker, leaseMs: 60_000, waits });

  const NO_OUTCOME = { outcome: '', ttlMs: 0, failure: '', backoffMs: 0, nowMs: 0, serveMs: 0, channel: 'wake' };
  const settle = (marker: string, outcome: Partial<typeof NO_OUTCOME>) =>
    scripts.run(cacheSettleRefresh, { entry, lease }, { seen: headOf(value), marker, ...NO_OUTCOME, ...outcome });

  async function expectLeft(key: string, ms: number): Promise<void> {
    const left = await servers.client.pttl(key);
    expect(left).toBeGreaterThan(ms - 10_000);
    expect(left).toBeLessThanOrEqual(ms);
  }

  it('lays the lease beside the entry, for its own time, and does not touch the entry', async () => {
    const marker = newMarker();
    expect(await claim(marker)).toEqual([0, null]);
    expect([await get(entry), await get(lease)]).toEqual([value, marker]);
    await expectLeft(lease, 60_000);
    await expectLeft(entry, 30_000);
  });

  it("marks another's lease as waited for only for those who wait, and never makes it last longer", async () => {
    const marker = newMarker();
    await servers.client.set(lease, marker, 'PX', 20_000);
    await claim(newMarker());
    expect(await get(lease)).toBe(marker);
    const [waitMs] = await claim(newMarker(), 1);
    expect(waitMs).toBeGreaterThan(10_000);
    expect(waitMs).toBeLessThanOrEqual(20_000);
    expect(await get(lease)).toBe(`${marker.slice(0, -1)}1`);
    await expectLeft(lease, 20_000);
  });

  it('is ours when it is asked for twice, by a client that sends commands again', async () => {
    const marker = newMarker();
    expect(await claim(marker, 1)).toEqual([0, null]);
    await claim(newMarker(), 1);
    expect(await claim(marker, 1)).toEqual([0, null]);
    expect(await get(lease)).toBe(`${marker.slice(0, -1)}1`);
  });

  it('leaves the entry and its time alone after a failure, and the mark its own time', async () => {
    const marker = newMarker();
    await claim(marker);
    const failure = writeFailure(ids.next(), 0);
    expect(await settle(marker, { failure, backoffMs: 20_000 })).toBe(1);
    expect([await get(entry), await get(lease)]).toEqual([value, failure]);
    await expectLeft(entry, 30_000);
    await expectLeft(lease, 20_000);
  });

  it('changes seven bytes of a stale entry that serves on, and not its time', async () => {
    const marker = newMarker();
    await claim(marker);
    const nowMs = 1_700_000_000_000;
    expect(await settle(marker, { nowMs, serveMs: 20_000 })).toBe(1);
    const prolonged = new StoredValue(Buffer.from(value, 'latin1')).prolongedUntil(nowMs + 20_000);
    expect(await get(entry)).toBe(`${headOf(value)}${prolonged}${value.slice(HEAD_LENGTH + 7)}`);
    expect(await get(lease)).toBeNull();
    await expectLeft(entry, 30_000);
  });

  it('gives a new value its own time', async () => {
    const marker = newMarker();
    await claim(marker);
    expect(await settle(marker, { outcome: 'next', ttlMs: 60_000 })).toBe(1);
    expect(await get(entry)).toBe('next');
    await expectLeft(entry, 60_000);
  });

  it('ends our lease, and leaves everything else alone, when the entry is another by now', async () => {
    const marker = newMarker();
    await claim(marker);
    await servers.client.set(entry, 'newer', 'PX', 30_000);
    expect(await settle(marker, { outcome: 'late', ttlMs: 60_000 })).toBe(0);
    expect([await get(entry), await get(lease)]).toEqual(['newer', null]);
    await expectLeft(entry, 30_000);
  });

  it("leaves another's lease alone, and the entry, although it is the same", async () => {
    const theirs = newMarker();
    await servers.client.set(lease, theirs, 'PX', 20_000);
    expect(await settle(newMarker(), { outcome: 'late', ttlMs: 60_000 })).toBe(0);
    expect([await get(entry), await get(lease)]).toEqual([value, theirs]);
    await expectLeft(lease, 20_000);
  });
});
