import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { RedisReplyError } from '../../../src/core/errors/redis.errors.js';
import { ScriptArgumentError } from '../../../src/core/scripts/script-argument.error.js';
import { ScriptReplyError } from '../../../src/core/scripts/script-reply.error.js';
import { ScriptRunner } from '../../../src/core/scripts/script-runner.js';
import { eventually, startRedis } from '../../../src/testing/index.js';
import {
  fixtureAppend,
  fixtureEchoBytes,
  fixtureEchoInteger,
  fixtureEchoString,
  fixtureFail,
  fixtureReadAll,
  fixtureReplyNested,
  fixtureReplyNothing,
  fixtureReplyOtherwise,
  fixtureReplyStatus,
  fixtureSetFields,
  fixtureSum,
} from '../../support/fixture/fixture.scripts.gen.js';
import { IoredisTransport } from './ioredis-transport.js';
import { ScriptServers, type ScriptTopology } from './script-servers.js';

describe.each<ScriptTopology>(['standalone', 'cluster'])('scripts on %s', (topology) => {
  let servers: ScriptServers;
  let transport: IoredisTransport;
  let scripts: ScriptRunner;
  let key: string;

  beforeAll(async () => {
    servers = await ScriptServers.start(topology);
  });
  afterAll(() => servers.stop());

  beforeEach(() => {
    transport = new IoredisTransport(servers.client);
    scripts = new ScriptRunner(transport);
    key = `{${randomUUID()}}`;
  });

  /** A key on each node of the Cluster, or three on one server. */
  async function keysOnEveryNode(): Promise<string[]> {
    const keys = new Map<string, string>();
    const wanted = servers.connections.length;
    while (keys.size < wanted) {
      const candidate = randomUUID();
      const slot = Number(await servers.server.masters[0]?.command('CLUSTER', 'KEYSLOT', candidate).catch(() => 0));
      keys.set(String(Math.floor((slot * wanted) / 16384)), candidate);
    }
    return [...keys.values()];
  }

  describe('arguments and replies', () => {
    it.each([0, -0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 64, 64 - 2 ** 53])(
      'carries the integer %d both ways',
      async (value) => {
        expect(await scripts.run(fixtureEchoInteger, { place: key }, { value })).toBe(value + 0);
      },
    );

    it('carries any safe integer to the server', async () => {
      for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
        await scripts.run(fixtureSetFields, { record: key }, { prefix: '', fields: [['exact', value]] });
        expect(await servers.client.hget(key, 'exact')).toBe(String(value));
      }
    });

    it.each([2 ** 53 - 1, 2 ** 53 - 40, -(2 ** 53 - 1)])(
      'refuses the reply %d, which may not be exact',
      async (value) => {
        await expect(scripts.run(fixtureEchoInteger, { place: key }, { value })).rejects.toThrow(
          'the reply is an integer too large to be exact where the header declares an integer',
        );
      },
    );

    it('carries any bytes both ways', async () => {
      const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      for (const value of [every, Buffer.alloc(0), randomBytes(70_000)]) {
        expect(await scripts.run(fixtureEchoBytes, { place: key }, { value })).toEqual(value);
      }
      expect(await scripts.run(fixtureEchoBytes, { place: key }, { value: 'é' })).toEqual(Buffer.from('é'));
    });

    it.each(['', 'plain', 'œuvre 🦜\0\r\n'])('carries the text %j both ways', async (value) => {
      expect(await scripts.run(fixtureEchoString, { place: key }, { value })).toBe(value);
    });

    it('reads arrays in arrays, with nil among them', async () => {
      expect(await scripts.run(fixtureReplyNested, { place: key }, {})).toEqual([
        -7,
        ['one', 'two'],
        ['first', null, 'last'],
        [
          [Buffer.from([0, 255]), 1],
          [Buffer.alloc(0), 2],
        ],
      ]);
    });

    it('reads a status as a string, and nil as null', async () => {
      expect(await scripts.run(fixtureReplyStatus, { place: key }, {})).toBe('PONG');
      expect(await scripts.run(fixtureReplyNothing, { place: key }, {})).toBeNull();
    });

    it('passes a tail of keys', async () => {
      await servers.client.set(`${key}a`, 'A');
      await servers.client.set(`${key}c`, Buffer.from([200]));
      const entries = ['a', 'b', 'c'].map((name) => `${key}${name}`);
      const values = await scripts.run(fixtureReadAll, { entries }, {});
      expect(values).toEqual([Buffer.from('A'), null, Buffer.from([200])]);
    });

    it('passes a tail of arguments, also an empty one', async () => {
      expect(await scripts.run(fixtureSum, { counter: key }, { factor: -2, numbers: [1, 20, 300] })).toBe(-642);
      expect(await scripts.run(fixtureSum, { counter: key }, { factor: 5, numbers: [] })).toBe(-642);
    });

    it('passes a tail of tuples', async () => {
      const fields = [
        ['left', 1],
        ['right', -2],
      ] as const;
      expect(await scripts.run(fixtureSetFields, { record: key }, { prefix: 'p', fields })).toBe(2);
      expect(await servers.client.hgetall(key)).toEqual({ pleft: '1', pright: '-2' });
    });
  });

  describe('values that the header does not admit', () => {
    it.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '7' as unknown as number])(
      'refuses %p as an integer, and sends nothing',
      async (value) => {
        const failure = await scripts
          .run(fixtureEchoInteger, { place: key }, { value })
          .catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(ScriptArgumentError);
        expect(failure).toMatchObject({
          code: 'ROOKERY_SCRIPT_ARGUMENT',
          message: 'Script fixture/echo-integer: "value" must be a safe integer.',
        });
        expect(transport.sent).toEqual([]);
      },
    );

    it('refuses a missing key, a missing argument, and a tail that is none', async () => {
      const missing = {} as { place: string; value: string };
      await expect(scripts.run(fixtureEchoString, missing, { value: '' })).rejects.toThrow('"place" must be a string');
      await expect(scripts.run(fixtureEchoString, { place: key }, missing)).rejects.toThrow('"value" must be a string');
      const numbers = '123' as unknown as number[];
      await expect(scripts.run(fixtureSum, { counter: key }, { factor: 1, numbers })).rejects.toThrow(
        '"numbers" must be an array',
      );
      const fields = [['left', 1, 2]] as unknown as [string, number][];
      await expect(scripts.run(fixtureSetFields, { record: key }, { prefix: '', fields })).rejects.toThrow(
        '"fields" must be made of tuples of 2',
      );
      expect(transport.sent).toEqual([]);
    });

    it('refuses an empty tail of keys where there is no other key', async () => {
      await expect(scripts.run(fixtureReadAll, { entries: [] }, {})).rejects.toThrow(
        '"entries" must be one key or more',
      );
    });

    it('sends none of many calls when one of them is wrong', async () => {
      const calls = [1, 2, 3.5].map((value) => ({ keys: { place: key }, args: { value } }));
      await expect(scripts.runMany(fixtureEchoInteger, calls)).rejects.toBeInstanceOf(ScriptArgumentError);
      expect(transport.sent).toEqual([]);
    });

    it('refuses a reply that is not what was declared, without telling what it is', async () => {
      await servers.client.set(key, 'secret');
      const failure = await scripts.run(fixtureReplyOtherwise, { place: key }, {}).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ScriptReplyError);
      expect(failure).toMatchObject({
        code: 'ROOKERY_SCRIPT_REPLY',
        message: 'Script fixture/reply-otherwise: the reply[1] is a string where the header declares an integer.',
      });
    });
  });

  describe('round trips', () => {
    const call = { keys: { place: '' }, args: { value: 7 } };

    it('takes one command when the node knows the script', async () => {
      await scripts.run(fixtureEchoInteger, { place: key }, { value: 1 });
      await servers.countCommands();
      transport.sent.length = 0;
      for (let value = 0; value < 20; value++) await scripts.run(fixtureEchoInteger, { place: key }, { value });
      expect(transport.sent).toHaveLength(20);
      expect(await servers.countCommands()).toEqual({ evalsha: 20 });
    });

    it('takes one more on each node that does not, and none afterwards', async () => {
      const places = await keysOnEveryNode();
      await servers.flushScripts();
      await servers.countCommands();
      for (let round = 0; round < 3; round++) {
        for (const place of places) await scripts.run(fixtureEchoInteger, { place }, { value: round });
      }
      expect(await servers.countCommands()).toEqual({ evalsha: 3 * places.length, eval: places.length });
    });

    it('sends many calls without waiting for any reply', async () => {
      await scripts.run(fixtureEchoInteger, { place: key }, { value: 1 });
      transport.sent.length = 0;
      const calls = Array.from({ length: 50 }, () => ({ ...call, keys: { place: key } }));
      const running = scripts.runMany(fixtureEchoInteger, calls);
      expect(transport.sent).toHaveLength(50);
      expect(await running).toEqual(calls.map(() => 7));
      expect(transport.sent).toHaveLength(50);
    });

    it('answers no calls with no replies', async () => {
      expect(await scripts.runMany(fixtureEchoInteger, [])).toEqual([]);
      expect(transport.sent).toEqual([]);
    });

    it('bounds both attempts by one deadline', async () => {
      await servers.flushScripts();
      transport.before = (place) => {
        const until = performance.now() + 20;
        while (place === 1 && performance.now() < until);
      };
      await scripts.run(fixtureEchoInteger, { place: key }, { value: 1 }, { deadlineMs: 5000 });
      expect(transport.sent).toEqual(['EVALSHA', 'EVAL']);
      expect(transport.lastDeadlineMs).toBeLessThan(5000);
      expect(transport.lastDeadlineMs).toBeGreaterThan(0);
    });
  });

  describe('errors', () => {
    it('passes on what the server refused, and runs nothing twice', async () => {
      // The first run is the one that loads the script, the second finds it.
      for (const runs of ['1', '2']) {
        const failure = await scripts
          .run(fixtureFail, { runs: key }, { code: 'CUSTOM' })
          .catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(RedisReplyError);
        expect(failure).toMatchObject({ replyCode: 'CUSTOM' });
        expect(await servers.client.get(key)).toBe(runs);
      }
    });

    it('lets every call settle before many reject with the first error', async () => {
      const log = `${key}log`;
      const wrong = `${key}wrong`;
      await servers.client.set(wrong, 'no list');
      const calls = [log, wrong, log, wrong, log].map((each, id) => ({
        keys: { log: each },
        args: { entries: [`${id}`] },
      }));
      const failure = await scripts.runMany(fixtureAppend, calls).catch((error: unknown) => error);
      expect(failure).toMatchObject({ replyCode: 'WRONGTYPE' });
      expect(await servers.client.lrange(log, 0, -1)).toEqual(['0', '2', '4']);
    });
  });

  if (topology === 'standalone') {
    it('recovers on a server that was restarted, and on a replica that was promoted', async () => {
      await using replica = await startRedis();
      const [master] = servers.server.masters;
      const [promoted] = replica.masters;
      await promoted?.command('REPLICAOF', '127.0.0.1', master?.port ?? 0);
      await scripts.run(fixtureAppend, { log: key }, { entries: ['before'] });
      // Asked of the replica: a master's WAIT covers only what its own connection wrote, and this one wrote nothing.
      await eventually(async () => expect(await promoted?.command('LLEN', key)).toBe(1), { within: '20s' });
      await promoted?.command('REPLICAOF', 'NO', 'ONE');
      const client = new Redis(replica.url);
      try {
        const runner = new ScriptRunner(new IoredisTransport(client));
        expect(await runner.run(fixtureAppend, { log: key }, { entries: ['promoted'] })).toBe(2);
        await promoted?.restart();
        expect(await runner.run(fixtureAppend, { log: key }, { entries: ['restarted'] })).toBeGreaterThan(0);
      } finally {
        client.disconnect();
      }
    });
  }
});
