import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  cacheClaim,
  cacheEvict,
  cachePut,
  cacheRenew,
  cacheSettle,
  cacheWait,
} from '../../../src/cache/cache.scripts.gen.js';
import { EntryIds } from '../../../src/cache/entry/entry-id.js';
import { LEASE, writeLease } from '../../../src/cache/entry/entry-format.js';
import { writeFenceKey } from '../../../src/cache/entry/lease-key.js';
import { ScriptRunner } from '../../../src/core/scripts/script-runner.js';
import { eventually } from '../../../src/testing/index.js';
import { IoredisTransport } from './ioredis-transport.js';
import { ScriptServers, type ScriptTopology } from './script-servers.js';

const ids = new EntryIds();
const newMarker = (): string => writeLease(ids.next());
const waited = (marker: string): string => `${marker.slice(0, -1)}1`;

describe.each<ScriptTopology>(['standalone', 'cluster'])('the scripts of cache entries on %s', (topology) => {
  let servers: ScriptServers;
  let scripts: ScriptRunner;
  let entry: string;
  let channel: string;

  beforeAll(async () => {
    servers = await ScriptServers.start(topology);
    scripts = new ScriptRunner(new IoredisTransport(servers.client));
  });
  afterAll(() => servers.stop());
  beforeEach(() => {
    entry = `{${randomUUID()}}`;
    channel = `channel-${randomUUID()}`;
  });

  const held = (key = entry): Promise<string | null> => servers.client.get(key);
  const lease = (marker: string, ms = 60_000): Promise<unknown> => servers.client.set(entry, marker, 'PX', ms);
  const settle = async (
    marker: string,
    outcome: string | Buffer = 'loaded',
    ttlMs = 60_000,
    carried = 0,
  ): Promise<number> => {
    const outcomes = [[marker, outcome, ttlMs]] as const;
    return (await scripts.run(cacheSettle, { entries: [entry] }, { outcomes, channel, carried }))[0] as number;
  };
  const withFences = (entries: readonly string[]) => ({ entries: [...entries, ...entries.map(writeFenceKey)] });
  const put = (...values: readonly (readonly [string, number])[]): Promise<number> => {
    const entries = values.map((_, i) => `${entry}${i === 0 ? '' : i}`);
    return scripts.run(cachePut, withFences(entries), { lease: LEASE, channel, values });
  };
  const evict = (...entries: readonly string[]): Promise<number> =>
    scripts.run(cacheEvict, withFences(entries), { lease: LEASE, channel });

  async function expectLeft(ms: number, key = entry): Promise<void> {
    const left = await servers.client.pttl(key);
    expect(left).toBeGreaterThan(ms - 10_000);
    expect(left).toBeLessThanOrEqual(ms);
  }

  /** What is published on the channel while `act` runs. */
  async function published(act: () => Promise<unknown>): Promise<string[]> {
    const messages: string[] = [];
    // From the server that publishes what is looked for, so that it comes last.
    const end = `${entry}:end`;
    const [node] = servers.connections as [Redis];
    const subscriber = node.duplicate();
    subscriber.on('message', (_channel: string, message: string) => messages.push(message));
    try {
      await subscriber.subscribe(channel);
      await act();
      await servers.client.set(end, waited(newMarker()));
      await evict(end);
      await eventually(() => expect(messages).toContain(end));
    } finally {
      subscriber.disconnect();
    }
    return messages.filter((message) => message !== end);
  }

  describe('claim', () => {
    const claim = (entries: readonly string[], markers: readonly string[]) =>
      scripts.run(cacheClaim, { entries }, { leases: markers.map((marker) => [marker, 60_000] as const) });

    it('gives each lease its time, and leaves the time of what is there alone', async () => {
      await servers.client.set(`${entry}1`, 'value', 'PX', 30_000);
      expect(await claim([entry, `${entry}1`], [newMarker(), newMarker()])).toEqual([null, Buffer.from('value')]);
      await expectLeft(60_000);
      await expectLeft(30_000, `${entry}1`);
    });

    it('answers with nothing at all for a key of another type, and with the rest as ever', async () => {
      await servers.client.hset(entry, 'field', 'value');
      const marker = newMarker();
      expect(await claim([entry, `${entry}1`], [newMarker(), marker])).toEqual([Buffer.alloc(0), null]);
      expect(await held(`${entry}1`)).toBe(marker);
      expect(await servers.client.hgetall(entry)).toEqual({ field: 'value' });
    });

    it('writes nothing for a length of lease that the server refuses', async () => {
      const claiming = scripts.run(cacheClaim, { entries: [entry] }, { leases: [[newMarker(), 0]] });
      await expect(claiming).rejects.toMatchObject({ replyCode: 'ERR' });
      expect(await servers.client.exists(entry)).toBe(0);
    });
  });

  describe('settle', () => {
    it('stores any bytes in the place of the lease, with their own time to live', async () => {
      const marker = newMarker();
      const bytes = Buffer.from([2, 0, 255, 13, 10]);
      await lease(marker, 5_000);
      expect(await settle(marker, bytes)).toBe(1);
      expect(await servers.client.getBuffer(entry)).toEqual(bytes);
      await expectLeft(60_000);
    });

    it("leaves another's lease alone, and its time", async () => {
      const theirs = newMarker();
      await lease(theirs, 30_000);
      expect(await settle(newMarker())).toBe(0);
      expect(await held()).toBe(theirs);
      await expectLeft(30_000);
    });

    it('keeps the lease when the server refuses the time to live', async () => {
      const marker = newMarker();
      await lease(marker);
      for (const ttlMs of [0, -1, Number.MIN_SAFE_INTEGER]) {
        await expect(settle(marker, 'loaded', ttlMs)).rejects.toMatchObject({ replyCode: 'ERR' });
      }
      expect(await held()).toBe(marker);
    });

    it('leaves a key of another type alone', async () => {
      await servers.client.hset(entry, 'field', 'value');
      expect(await settle(newMarker())).toBe(0);
      expect(await servers.client.hgetall(entry)).toEqual({ field: 'value' });
    });

    it('publishes the entry once when somebody waits, and nothing when nobody does', async () => {
      const [mine, theirs] = [newMarker(), newMarker()];
      await lease(waited(mine));
      expect(await published(() => settle(mine))).toEqual([entry]);
      await lease(theirs);
      expect(await published(() => settle(theirs))).toEqual([]);
      await lease(waited(theirs));
      expect(await published(() => settle(mine))).toEqual([]);
    });

    it('sends what is small enough with the wake, and nothing when there is nothing', async () => {
      const publishedBy = async (outcome: string): Promise<string[]> => {
        const marker = newMarker();
        await servers.client.del(entry);
        await lease(waited(marker));
        return published(() => settle(marker, outcome, 60_000, 5));
      };
      expect(await publishedBy('short')).toEqual([`${entry}\0short`]);
      expect(await publishedBy('longer')).toEqual([entry]);
      expect(await publishedBy('')).toEqual([entry]);
    });

    it('lets one of many win', async () => {
      const marker = newMarker();
      await lease(marker);
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, id) => settle(marker, `value ${id}`)));
      expect(outcomes.filter((outcome) => outcome === 1)).toHaveLength(1);
      expect(await held()).toBe(`value ${outcomes.indexOf(1)}`);
    });
  });

  describe('wait', () => {
    const wait = (marker = newMarker()) => scripts.run(cacheWait, { entry }, { marker, leaseMs: 60_000 });

    it('marks the lease as waited for, and changes nothing else about it', async () => {
      const marker = newMarker();
      await lease(marker, 30_000);
      for (let times = 0; times < 2; times++) {
        const [waitMs, found] = await wait();
        expect(found).toBeNull();
        expect(waitMs).toBeGreaterThan(20_000);
        expect(waitMs).toBeLessThanOrEqual(30_000);
        expect(await held()).toBe(waited(marker));
      }
      await expectLeft(30_000);
    });

    it('takes the lease where there is none, for its time', async () => {
      const marker = newMarker();
      expect(await wait(marker)).toEqual([0, null]);
      expect(await held()).toBe(marker);
      await expectLeft(60_000);
    });

    it('finds the lease that it has taken when it is sent a second time', async () => {
      const marker = newMarker();
      expect(await wait(marker)).toEqual([0, null]);
      await wait();
      expect(await wait(marker)).toEqual([0, null]);
      expect(await held()).toBe(waited(marker));
    });

    it('does not touch a value', async () => {
      await servers.client.set(entry, 'value', 'PX', 30_000);
      expect(await wait()).toEqual([0, Buffer.from('value')]);
      await expectLeft(30_000);
    });
  });

  describe('put', () => {
    it('gives each entry its value and its own time to live', async () => {
      expect(await put(['one', 60_000], ['two', 30_000])).toBe(2);
      expect([await held(), await held(`${entry}1`)]).toEqual(['one', 'two']);
      await expectLeft(60_000);
      await expectLeft(30_000, `${entry}1`);
    });

    it('publishes the entries whose lease somebody waits for, and no other', async () => {
      await lease(waited(newMarker()));
      await servers.client.set(`${entry}1`, newMarker());
      await servers.client.set(`${entry}2`, 'a value of 1');
      expect(await published(() => put(['one', 60_000], ['two', 60_000], ['three', 60_000]))).toEqual([entry]);
    });

    it('takes the place of a key of another type', async () => {
      await servers.client.rpush(entry, 'item');
      expect(await put(['value', 60_000])).toBe(1);
      expect(await held()).toBe('value');
    });
  });

  describe('evict', () => {
    it('tells how many there were, keys of another type among them', async () => {
      await servers.client.set(entry, 'value');
      await servers.client.rpush(`${entry}1`, 'item');
      expect(await evict(entry, `${entry}1`, `${entry}2`)).toBe(2);
      expect(await servers.client.exists(entry, `${entry}1`)).toBe(0);
    });

    it('publishes the entries whose lease somebody waited for, and no other', async () => {
      await lease(waited(newMarker()));
      await servers.client.set(`${entry}1`, newMarker());
      await servers.client.set(`${entry}2`, 'a value of 1');
      expect(await published(() => evict(entry, `${entry}1`, `${entry}2`, `${entry}3`))).toEqual([entry]);
    });
  });

  describe('renew', () => {
    const renew = (marker: string) => scripts.run(cacheRenew, { lease: entry }, { marker, leaseMs: 60_000 });

    it('gives our lease its time anew, and keeps the word that somebody waits', async () => {
      const marker = newMarker();
      await lease(waited(marker), 5_000);
      expect(await renew(marker)).toBe(1);
      expect(await held()).toBe(waited(marker));
      await expectLeft(60_000);
    });

    it('leaves the time of anything else alone', async () => {
      for (const there of [newMarker(), 'value']) {
        await servers.client.set(entry, there, 'PX', 5_000);
        expect(await renew(newMarker())).toBe(0);
        await expectLeft(5_000);
      }
      await evict(entry);
      expect(await renew(newMarker())).toBe(0);
    });
  });
});
