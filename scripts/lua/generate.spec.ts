import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generate } from './generate.mjs';

const LUA = `--[=[
  Count.
  KEYS  counter     string             the counter
  ARGV  label       bytes              a label
  ARGV  steps...    (string, integer)  steps, each with a \`name\` and */ a number
  REPLY [integer, (string | nil)[]] | nil  a count
    and names
]=]
local counter = KEYS[1]
local label = ARGV[1]
redis.call('SET', counter, label .. '\\n\${}' .. #ARGV)
`;

describe('generating commands from Lua', () => {
  let root = '';

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rookery-generate-'));
    mkdirSync(join(root, 'src'));
    write('lua/counter/count-up.lua', LUA);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  function read(path = 'src/counter/counter.scripts.gen.ts'): string {
    return readFileSync(join(root, path), 'utf8');
  }

  function run() {
    return generate({ root, lua: 'lua', out: 'src', runtime: 'src/core/scripts/define-script.ts' });
  }

  /** The `source` and `sha1` that the generated module would hand to `defineScript`. */
  function definition(): { source: string; sha1: string } {
    const literal = /defineScript<[\s\S]*?>\((\{[\s\S]*\})\);/.exec(read())?.[1] ?? '';
    return new Function(`return ${literal}`)() as { source: string; sha1: string };
  }

  it('writes a typed command with what the header says', () => {
    expect(run()).toEqual({ scripts: 1, written: ['src/counter/counter.scripts.gen.ts'], removed: [] });
    const text = read();
    expect(text).toContain("import { defineScript } from '../core/scripts/define-script.js';");
    expect(text).toContain('export const counterCountUp = defineScript<');
    expect(text).toContain('{ readonly counter: string },');
    expect(text).toContain(
      '{ readonly label: string | Buffer; readonly steps: readonly (readonly [string, number])[] },',
    );
    expect(text).toContain('readonly [number, readonly (string | null)[]] | null');
    expect(text).toContain(' * Count.\n');
    expect(text).toContain(' * - key `counter` (string): the counter\n');
    expect(text).toContain(
      ' * - argument `steps...` ((string, integer)): steps, each with a `name` and *\\/ a number\n',
    );
    expect(text).toContain('a count and names\n');
  });

  it('carries the source to the byte, and the digest that the server will compute', () => {
    run();
    const { source, sha1 } = definition();
    expect(source).toBe(LUA);
    expect(sha1).toBe(createHash('sha1').update(LUA).digest('hex'));
  });

  it('does not depend on line ends', () => {
    run();
    const before = read();
    write('lua/counter/count-up.lua', LUA.replaceAll('\n', '\r\n'));
    expect(run().written).toEqual([]);
    expect(read()).toBe(before);
  });

  it('orders commands by name', () => {
    write('lua/counter/add.lua', LUA);
    run();
    expect([...read().matchAll(/export const (\w+)/g)].map(([, name]) => name)).toEqual([
      'counterAdd',
      'counterCountUp',
    ]);
  });

  it('leaves a file alone whose text would stay the same', () => {
    run();
    const path = join(root, 'src/counter/counter.scripts.gen.ts');
    utimesSync(path, 1, 1);
    expect(run()).toEqual({ scripts: 1, written: [], removed: [] });
    expect(statSync(path).mtimeMs).toBe(1000);
  });

  it('removes the file of a feature that has no scripts any more', () => {
    run();
    rmSync(join(root, 'lua/counter'), { recursive: true });
    expect(run().removed).toEqual(['src/counter/counter.scripts.gen.ts']);
    expect(existsSync(join(root, 'src/counter/counter.scripts.gen.ts'))).toBe(false);
  });

  it('never removes a file that it did not write', () => {
    write('src/other/other.scripts.gen.ts', '// by hand\n');
    expect(run().removed).toEqual([]);
    expect(read('src/other/other.scripts.gen.ts')).toBe('// by hand\n');
  });

  it('writes nothing when any script is wrong, and names every problem', () => {
    write('lua/lock/acquire.lua', LUA.replace('  KEYS  counter     string             the counter\n', ''));
    write('lua/lock/release.lua', 'return 1\n');
    expect(run).toThrow(
      'lua/lock/acquire.lua:8: KEYS[1] is bound, but the header declares no key. ' +
        'Fix: add "KEYS  <name>  <type>  <description>", or remove the binding.\n' +
        'lua/lock/release.lua:1: the script does not begin with a header.',
    );
    expect(existsSync(join(root, 'src/counter'))).toBe(false);
  });

  it.each(['loose.lua', 'lock/deep/acquire.lua', 'lock/Acquire.lua', 'my_lock/acquire.lua'])(
    'refuses a script at %s',
    (path) => {
      write(`lua/${path}`, LUA);
      expect(run).toThrow(`lua/${path}:1: the path is not <feature>/<verb>.lua.`);
    },
  );
});
