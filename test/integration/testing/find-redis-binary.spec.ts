import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findRedisBinary, RedisBinaryNotFoundError, startRedis } from 'rookery/testing';
import { run } from '../../../src/testing/binary/run.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'test-binary-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function program(path: string, says: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(file, 0o755);
  return file;
}

const REDIS = 'Redis server v=7.2.5 sha=00000000:0 malloc=libc bits=64 build=0';
const VALKEY = 'Valkey server v=8.1.1 sha=00000000:0 malloc=libc bits=64 build=0';
/** A cache where nothing can be written, so that no package is fetched. */
const NO_CACHE = '/dev/null/cache';

describe('findRedisBinary', () => {
  it('takes REDIS_SERVER_BIN before anything else', async () => {
    const given = program('given/any-name', REDIS);
    program('path/valkey-server', VALKEY);
    const env = { REDIS_SERVER_BIN: given, PATH: join(folder, 'path') };
    expect(await findRedisBinary({ env })).toEqual({
      path: given,
      flavour: 'redis',
      version: '7.2.5',
      source: 'given',
    });
  });

  it('refuses a REDIS_SERVER_BIN that is no server, rather than taking another', async () => {
    const given = program('given/redis-server', 'Hello');
    program('path/redis-server', REDIS);
    const env = { PATH: join(folder, 'path') };
    for (const REDIS_SERVER_BIN of [given, '/no/such/file']) {
      const search = findRedisBinary({ env: { ...env, REDIS_SERVER_BIN } });
      await expect(search).rejects.toThrow(RedisBinaryNotFoundError);
      await expect(search).rejects.toThrow(`REDIS_SERVER_BIN is '${REDIS_SERVER_BIN}'`);
    }
  });

  it('prefers a Valkey on the PATH, wherever it stands there', async () => {
    program('one/redis-server', REDIS);
    const valkey = program('two/valkey-server', VALKEY);
    const env = { PATH: `${join(folder, 'one')}:${join(folder, 'two')}` };
    expect(await findRedisBinary({ env })).toEqual({
      path: valkey,
      flavour: 'valkey',
      version: '8.1.1',
      source: 'path',
    });
  });

  it('passes over what does not run', async () => {
    program('one/redis-server', 'broken');
    writeFileSync(join(folder, 'one/valkey-server'), 'not executable');
    mkdirSync(join(folder, 'two'));
    symlinkSync('nowhere', join(folder, 'two/valkey-server'));
    const redis = program('three/redis-server', REDIS);
    const env = { PATH: ['one', 'two', 'three'].map((name) => join(folder, name)).join(':') };
    expect(await findRedisBinary({ env })).toMatchObject({ path: redis });
  });

  it('names the ways to get a server when there is none', async () => {
    const search = findRedisBinary({ env: { PATH: folder }, cacheDir: NO_CACHE });
    await expect(search).rejects.toThrow(RedisBinaryNotFoundError);
    await expect(search).rejects.toThrow(/apt-get install redis-server[^]*brew install valkey[^]*docker run/);
  });
});

describe('findRedisBinary on a machine without a server', () => {
  it('fetches the package into the cache, once, also when two callers want it at the same time', async () => {
    const cacheDir = join(folder, 'cache');
    const search = { env: { PATH: '' }, cacheDir };
    const searches = await Promise.allSettled([findRedisBinary(search), findRedisBinary(search)]);
    // Only Debian and Ubuntu have the package, and only when their package server can be reached.
    if (searches.every(({ status }) => status === 'rejected') && !(await canDownload())) {
      expect(searches).toMatchObject([{ reason: expect.any(RedisBinaryNotFoundError) }, {}]);
      return;
    }
    const [one, two] = searches.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
    expect(one).toMatchObject({ source: 'package', path: expect.stringContaining(cacheDir) });
    expect(two).toEqual(one);
    expect(readdirSync(cacheDir)).toHaveLength(1);

    const { ino } = statSync(one.path);
    expect(await findRedisBinary(search)).toEqual(one);
    expect(statSync(one.path).ino).toBe(ino);

    await using server = await startRedis({ binary: one });
    expect(await server.nodes[0]?.command('PING')).toBe('PONG');
  }, 300_000);
});

async function canDownload(): Promise<boolean> {
  return (await run('apt-get', ['download', 'redis-server'], { cwd: folder, timeoutMs: 60_000 })).ok;
}
