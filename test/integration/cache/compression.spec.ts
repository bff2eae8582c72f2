import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import type { Cache } from '../../../src/cache/index.js';
import { structuredCodec } from '../../../src/core/codec/structured.codec.js';
import {
  cacheOf,
  describeCaches,
  describeStores,
  readUntilInMemory,
  redisCli,
  settled,
} from '../../support/cache-world.js';
import { expectNoLeakedConnections, type SharedTopology } from '../../support/redis.js';

expectNoLeakedConnections();

const text = 'the same words again and again '.repeat(400);
const options = {
  caches: [
    { name: 'json', compressAbove: 1_000 },
    { name: 'exact', compressAbove: 1_000, codec: structuredCodec },
    { name: 'plain' },
    { name: 'all', compressAbove: 0 },
  ],
};

describeStores((world) => {
  let named: (name: string) => Cache;

  beforeAll(async () => {
    const cache = cacheOf(await world.open(options));
    named = (name) => cache.named(name);
  });

  it.each(['json', 'exact', 'plain', 'all'])('gives back what was stored: %s', async (name) => {
    const cache = named(name);
    const values = [
      '',
      'short',
      text,
      { text, list: [text, 1, null] },
      randomBytes(2_000).toString('base64'),
      'é'.repeat(2_000),
    ];
    for (const [i, value] of values.entries()) {
      await cache.set(['set', i], value, { tags: ['tag'] });
      await settled(cache, () => cache.getOrSet(['loaded', i], () => value));
      for (const key of [
        ['set', i],
        ['loaded', i],
      ]) {
        expect(await cache.get(key)).toStrictEqual(value);
        await readUntilInMemory(world, cache, key);
        expect(await cache.getOrSet(key, () => 'unused')).toStrictEqual(value);
      }
    }
  });

  it('keeps bytes and dates in what is compressed', async () => {
    const value = { at: new Date(5), bytes: Buffer.alloc(5_000, 7), map: new Map([[text, 1n]]) };
    await named('exact').set('value', value);
    expect(await named('exact').get('value')).toStrictEqual(value);
    await readUntilInMemory(world, named('exact'), 'value');
    expect(await named('exact').get('value')).toStrictEqual(value);
  });
});

describeCaches((world) => {
  const cli = redisCli(world.topology as SharedTopology);

  it('takes less room for what is long, and leaves what is short, or does not shrink, as it is', async () => {
    const cache = cacheOf(await world.open(options));
    const noise = randomBytes(3_000).toString('latin1');
    const size = async (name: string, value: string): Promise<number> => {
      await cache.named(name).set('size', value);
      return cli.client.strlen(`${world.prefix}:cache:${name}:{size}`);
    };
    expect(await size('plain', text)).toBeGreaterThan(text.length);
    expect(await size('json', text)).toBeLessThan(1_000);
    expect(await size('json', 'x'.repeat(900))).toBe(await size('plain', 'x'.repeat(900)));
    expect(await size('json', noise)).toBeLessThanOrEqual(await size('plain', noise));
  });

  it('can be turned on and off at any time: entries say themselves whether they are compressed', async () => {
    const [on, off] = [cacheOf(await world.open({ cache: { compressAbove: 100 } })), cacheOf(await world.open())];
    await on.set('on', text);
    await off.set('off', text);
    expect([await off.get('on'), await on.get('off')]).toEqual([text, text]);
  });

  it('takes damaged bytes for a miss', async () => {
    const cache = cacheOf(await world.open(options)).named('json');
    await cache.set('damaged', text);
    const entry = `${world.prefix}:cache:json:{damaged}`;
    const length = await cli.client.strlen(entry);
    await cli.client.setrange(entry, length - 50, '\u0000'.repeat(50));
    await world.elsewhere(async () => expect(await cache.get('damaged')).toBeUndefined());
    expect(await cache.getOrSet('damaged', () => 'fresh')).toBe('fresh');
    expect(cache.counters.unreadable).toBeGreaterThan(0);
  });
});
