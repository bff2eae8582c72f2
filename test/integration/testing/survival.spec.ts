import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from 'rookery/testing';

interface Left {
  readonly pids: readonly number[];
  readonly dataDir: string;
}

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
});

/** A process of its own, which has `startRedis`, and the first thing that it says. */
async function inChild<T>(program: string, env: Record<string, string> = {}): Promise<T> {
  const code = `const { startRedis } = await import('./src/testing/index.ts'); ${program}`;
  const args = ['--import', './test/support/typescript.js', '--input-type=module', '--eval', code];
  child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
    env: { ...process.env, ...env },
  });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return JSON.parse(String(line)) as T;
}

/** Starts servers in a process of its own, which says what it has started and then does as told. */
function startInChild(options: object, then: string): Promise<Left> {
  return inChild(`
    const server = await startRedis(${JSON.stringify(options)});
    const pids = [...server.nodes, ...server.sentinels].map(({ pid }) => pid);
    const say = () => console.log(JSON.stringify({ pids, dataDir: server.dataDir }));
    ${then}
  `);
}

/** A zombie has ended; only its parent has not looked yet, and ours may be an init that never does. */
function runs(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

async function expectNothingLeft({ pids, dataDir }: Left): Promise<void> {
  expect(pids.length).toBeGreaterThan(0);
  await eventually(() => expect(pids.filter(runs)).toEqual([]));
  await eventually(() => expect(existsSync(dataDir)).toBe(false));
}

const stay = 'say(); setInterval(() => undefined, 1_000);';

describe('a server whose starter ends without stopping it', () => {
  it.each([{}, { topology: 'cluster' }, { topology: 'sentinel' }])('goes after kill -9: %j', async (options) => {
    const left = await startInChild(options, stay);
    expect(left.pids.every(runs)).toBe(true);
    child?.kill('SIGKILL');
    await expectNothingLeft(left);
  });

  it('goes after kill -9 even when it was paused', async () => {
    const left = await startInChild({}, `await server.nodes[0].pause(); ${stay}`);
    child?.kill('SIGKILL');
    await expectNothingLeft(left);
  });

  it('goes after kill -9 in the middle of a save, with its fork', async () => {
    const save = `
      await server.nodes[0].command('DEBUG', 'POPULATE', 20000, 'key', 100);
      await server.nodes[0].command('CONFIG', 'SET', 'rdb-key-save-delay', 10000);
      await server.nodes[0].command('BGSAVE');
      const { readFileSync } = await import('node:fs');
      const [pid] = pids;
      const fork = Number(readFileSync(\`/proc/\${pid}/task/\${pid}/children\`, 'utf8'));
      // A fork that runs finds out by itself, within a second, that nobody waits for it.
      process.kill(fork, 'SIGSTOP');
      pids.push(fork);
    `;
    const left = await startInChild({ args: { 'enable-debug-command': 'local' } }, save + stay);
    expect(left.pids.filter(runs)).toHaveLength(2);
    child?.kill('SIGKILL');
    await expectNothingLeft(left);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('goes after %s', async (signal) => {
    const left = await startInChild({}, stay);
    child?.kill(signal);
    await expectNothingLeft(left);
  });

  it('goes after Ctrl-C, which signals a whole process group, even when it was paused', async () => {
    const left = await startInChild({}, `await server.nodes[0].pause(); ${stay}`);
    process.kill(-(child?.pid as number), 'SIGINT');
    await expectNothingLeft(left);
  });

  it('goes after an exception', async () => {
    const left = await startInChild({}, `say(); setTimeout(() => { throw new Error('broken') }, 10);`);
    await expectNothingLeft(left);
  });

  it('lets its starter end by itself, and goes with it', async () => {
    const left = await startInChild({ topology: 'cluster' }, 'say();');
    const [code] = child?.exitCode === null ? ((await once(child, 'exit')) as [number]) : [child?.exitCode];
    expect(code).toBe(0);
    await expectNothingLeft(left);
  });
});

describe('a server that does not start', () => {
  it('leaves no folder', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'test-tmp-'));
    const program = `
      const { readdirSync } = await import('node:fs');
      const failed = await startRedis({ args: { 'no-such-directive': 1 } }).then(() => false, () => true);
      console.log(JSON.stringify({ failed, left: readdirSync(process.env.TMPDIR) }));
    `;
    expect(await inChild(program, { TMPDIR: temporary })).toEqual({ failed: true, left: [] });
    rmdirSync(temporary);
  });
});
