import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { eventually, RedisServerError, startRedis, type RedisNode, type RedisServer } from 'rookery/testing';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();

const clients = new Set<Redis | Cluster>();
const folders = new Set<string>();

afterEach(() => {
  clients.forEach((client) => client.disconnect());
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  clients.clear();
  folders.clear();
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'test of data '));
  folders.add(folder);
  return folder;
}

/** A client made of nothing but the connection options, as an application would. */
function connect({ connectionOptions: options }: RedisServer): Redis | Cluster {
  const client = clientOf(options);
  client.on('error', () => undefined);
  clients.add(client);
  return client;
}

function clientOf(options: RedisServer['connectionOptions']): Redis | Cluster {
  const { username, password, tls } = { username: undefined, password: undefined, tls: undefined, ...options };
  if ('cluster' in options) {
    return new Cluster([...options.cluster.nodes], { redisOptions: { username, password, tls } });
  }
  if ('sentinel' in options) {
    const { name, nodes, ...login } = options.sentinel;
    const sentinel = { name, sentinels: [...nodes], sentinelPassword: login.password, sentinelTLS: login.tls };
    return new Redis({ ...sentinel, username, password, tls, enableTLSForSentinelMode: login.tls !== undefined });
  }
  return new Redis(options.url as string, { tls });
}

const [single, ring, watched] = [
  { topology: 'standalone' },
  { topology: 'cluster', replicasPerMaster: 1 },
  { topology: 'sentinel' },
] as const;

const first = (server: RedisServer): RedisNode => server.nodes[0] as RedisNode;
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe('startRedis', () => {
  it.each([single, ring, watched])(
    'serves clients, and leaves no process and no folder when stopped: %j',
    async (options) => {
      const server = await startRedis(options);
      expect(server.topology).toBe(options.topology);
      expect(server.version).toMatch(/^\d+\.\d+\.\d+/);
      const client = connect(server);
      expect(await client.set('key', 'value')).toBe('OK');
      expect(await client.get('key')).toBe('value');

      const pids = [...server.nodes, ...server.sentinels].map(({ pid }) => pid as number);
      expect(pids.every(isAlive)).toBe(true);
      expect(statSync(server.dataDir).mode & 0o777).toBe(0o700);
      await first(server).pause();

      await server.stop();
      expect(pids.filter(isAlive)).toEqual([]);
      expect(existsSync(server.dataDir)).toBe(false);
      expect(first(server).pid).toBeUndefined();
      await server.stop();
    },
  );

  it.each([single, ring, watched])(
    'lets nobody in without TLS, user and password when it has them: %j',
    async (options) => {
      const password = `pass "word" ${Math.random()} \\ é`;
      await using server = await startRedis({ ...options, tls: true, username: 'alice', password });
      const client = connect(server);
      expect(await client.set('key', 'value')).toBe('OK');
      expect(await first(server).command('ACL', 'WHOAMI')).toBe('alice');

      const { port } = first(server);
      const ca = 'tls' in server.connectionOptions ? server.connectionOptions.tls : undefined;
      for (const stranger of [
        { tls: ca ?? {} },
        { tls: ca ?? {}, username: 'alice', password: 'wrong' },
        { tls: {}, username: 'alice', password },
        { username: 'alice', password },
      ]) {
        const intruder = new Redis({ port, ...stranger, retryStrategy: () => null, lazyConnect: true });
        clients.add(intruder);
        intruder.on('error', () => undefined);
        await expect(intruder.connect().then(() => intruder.get('key'))).rejects.toThrow();
      }
    },
  );

  it('puts credentials into the URL so that they survive', async () => {
    await using server = await startRedis({ username: 'a:b@c', password: 'p@ss/w:rd?' });
    const client = new Redis(server.url);
    clients.add(client);
    expect(await client.acl('WHOAMI')).toBe('a:b@c');
  });

  it('asks the clients of Sentinels for the password of the Sentinels', async () => {
    await using server = await startRedis({ topology: 'sentinel', sentinelPassword: 'open sesame', password: 'other' });
    expect(await connect(server).set('key', 'value')).toBe('OK');
    const { port } = server.sentinels[0] as RedisNode;
    const stranger = new Redis({ port, retryStrategy: () => null, enableReadyCheck: false });
    clients.add(stranger);
    stranger.on('error', () => undefined);
    await expect(stranger.call('SENTINEL', 'MASTERS')).rejects.toThrow('NOAUTH');
  });

  it('gives extra directives to the server', async () => {
    await using server = await startRedis({
      args: { maxmemory: '2mb', 'maxmemory-policy': 'allkeys-lru', save: '900 1' },
    });
    expect(await first(server).command('CONFIG', 'GET', 'maxmemory*')).toEqual(
      expect.arrayContaining(['maxmemory', '2097152', 'maxmemory-policy', 'allkeys-lru']),
    );
    expect(await first(server).command('CONFIG', 'GET', 'save')).toEqual(['save', '900 1']);
  });

  it('says what the server said when it does not start', async () => {
    const attempt = startRedis({ args: { 'no-such-directive': 1 } });
    await expect(attempt).rejects.toThrow(RedisServerError);
    await expect(attempt).rejects.toThrow(/no-such-directive/);
  });

  it('takes the given port, and fails when it is taken', async () => {
    const blocker = createServer((socket) => socket.resume());
    const port = await new Promise<number>((resolve) =>
      blocker.listen(0, '127.0.0.1', () => resolve((blocker.address() as { port: number }).port)),
    );
    await expect(startRedis({ port })).rejects.toThrow(/address already in use/i);
    await new Promise((resolve) => blocker.close(resolve));
    await using server = await startRedis({ port });
    expect(server.url).toBe(`redis://127.0.0.1:${port}`);
  });

  it('does not take another server on its port for its own', async () => {
    await using other = await startRedis();
    await expect(startRedis({ port: first(other).port })).rejects.toThrow(/address already in use/i);
    expect(await first(other).command('PING')).toBe('PONG');
  });

  it('starts many at once on ports of their own', async () => {
    const servers = await Promise.all(Array.from({ length: 8 }, () => startRedis()));
    expect(new Set(servers.map((server) => first(server).port)).size).toBe(8);
    await Promise.all(servers.map((server) => server.stop()));
  });
});

describe('startRedis with a data folder', () => {
  it('keeps the data over stop and crash, and the folder after both', async () => {
    const dataDir = join(temporaryFolder(), 'made when missing');
    const before = await startRedis({ dataDir });
    expect(before.dataDir).toBe(dataDir);
    await first(before).command('SET', 'stopped', 'kept');
    await before.stop();

    const between = await startRedis({ dataDir });
    expect(await first(between).command('GET', 'stopped')).toBe('kept');
    await first(between).command('SET', 'crashed', 'kept too');
    await first(between).kill();
    await between.stop();

    await using after = await startRedis({ dataDir });
    expect(await first(after).command('MGET', 'stopped', 'crashed')).toEqual(['kept', 'kept too']);
  });

  it('saves the data on stop also when it keeps no log of changes', async () => {
    const dataDir = temporaryFolder();
    const before = await startRedis({ dataDir, appendOnly: false });
    await first(before).command('SET', 'key', 'kept');
    await first(before).pause();
    await before.stop();

    await using after = await startRedis({ dataDir, appendOnly: false });
    expect(await first(after).command('GET', 'key')).toBe('kept');
  });

  it('refuses a folder that another server works on', async () => {
    const dataDir = temporaryFolder();
    await using server = await startRedis({ dataDir });
    await expect(startRedis({ dataDir })).rejects.toThrow(/Another Redis server \(process \d+\) uses the data folder/);
    expect(await first(server).command('PING')).toBe('PONG');
  });
});

describe('RedisNode', () => {
  it('answers nothing while paused, keeps its connections, and goes on when resumed', async () => {
    await using server = await startRedis();
    const client = connect(server);
    await client.set('key', 'value');
    await first(server).pause();
    const reply = client.get('key');
    await expect(Promise.race([reply, new Promise((resolve) => setTimeout(resolve, 100, 'silence'))])).resolves.toBe(
      'silence',
    );
    await first(server).resume();
    await expect(reply).resolves.toBe('value');
  });

  it('has the same port and data after a restart', async () => {
    await using server = await startRedis();
    const node = first(server);
    const { pid, port } = node;
    await node.command('SET', 'key', 'value');
    await node.restart();
    expect(node.pid).not.toBe(pid);
    expect(node.port).toBe(port);
    expect(await node.command('GET', 'key')).toBe('value');
  });

  it('loses its data when killed, unless it keeps a log of changes', async () => {
    for (const appendOnly of [false, true]) {
      await using server = await startRedis({ appendOnly });
      const node = first(server);
      await node.command('SET', 'key', 'value');
      await node.kill();
      expect(node.running).toBe(false);
      await expect(node.command('PING')).rejects.toThrow();
      await node.restart();
      expect(await node.command('GET', 'key')).toBe(appendOnly ? 'value' : null);
    }
  });

  it('throws what the server replies, and when it does not run', async () => {
    await using server = await startRedis();
    await expect(first(server).command('NO-SUCH-COMMAND')).rejects.toThrow('unknown command');
    await first(server).stop();
    await expect(first(server).pause()).rejects.toThrow(RedisServerError);
  });
});

describe('startRedis with several servers', () => {
  it('divides all slots among the masters and gives each its replicas', async () => {
    await using server = await startRedis({ topology: 'cluster', masters: 4, replicasPerMaster: 1 });
    expect(server.masters).toHaveLength(4);
    expect(server.nodes).toHaveLength(8);
    for (const node of server.nodes) {
      const slots = (await node.command('CLUSTER', 'SLOTS')) as [number, number, ...unknown[]][];
      expect(slots.reduce((sum, [from, to]) => sum + to - from + 1, 0)).toBe(16_384);
      expect(slots.map((range) => range.length)).toEqual([4, 4, 4, 4]); // first, last, master, replica;
    }
  });

  it('lets a replica take over from a master that was killed', async () => {
    await using server = await startRedis({ topology: 'cluster', replicasPerMaster: 1, nodeTimeout: '500ms' });
    const client = connect(server);
    await client.set('key', 'value');
    const killed = first(server);
    await killed.kill();
    const witness = server.nodes[1] as RedisNode;
    await eventually(
      async () => {
        expect(await witness.command('CLUSTER', 'INFO')).toContain('cluster_state:ok');
        const ranges = (await witness.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
        expect(ranges).toHaveLength(3);
        expect(ranges.map(([, , [, port]]) => port)).not.toContain(killed.port);
      },
      { within: '15s' },
    );
    await eventually(async () => expect(await client.get('key')).toBe('value'), { within: '10s' });
  });

  it('lets the Sentinels promote a replica when the master is killed', async () => {
    await using server = await startRedis({ topology: 'sentinel', downAfter: '300ms' });
    const [master, replica] = server.nodes as [RedisNode, RedisNode];
    const client = connect(server);
    await client.set('key', 'value');
    await master.kill();
    await eventually(
      async () => {
        const [, port] = (await server.sentinels[0]?.command(
          'SENTINEL',
          'GET-MASTER-ADDR-BY-NAME',
          'rookery',
        )) as string[];
        expect(Number(port)).toBe(replica.port);
      },
      { within: '15s' },
    );
    await eventually(async () => expect(await client.get('key')).toBe('value'), { within: '10s' });
  });
});
