import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The build step itself, on a copy of this project's scripts. */
describe('npm run generate', () => {
  const project = join(import.meta.dirname, '..');
  let copy = '';

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'rookery-project-'));
    for (const folder of ['lua', 'scripts/lua', 'scripts/generate-scripts.mjs', 'src/core/scripts', 'package.json']) {
      cpSync(join(project, folder), join(copy, folder), { recursive: true });
    }
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  });
  afterEach(() => rmSync(copy, { recursive: true }));

  function generate() {
    return spawnSync(process.execPath, ['scripts/generate-scripts.mjs'], { cwd: copy, encoding: 'utf8' });
  }

  it('writes the typed commands of the scripts in lua', () => {
    const { status, stderr } = generate();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(join(copy, 'src/cache/cache.scripts.gen.ts'), 'utf8')).toContain('export const cacheSettle');
  });

  it('fails when a KEYS line is removed from a header, and says where', () => {
    const path = join(copy, 'lua/cache/renew.lua');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^ *KEYS .*\n/m, ''));
    const { status, stderr } = generate();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^lua\/cache\/renew\.lua:\d+: KEYS\[1\] is bound, but the header declares no key\. Fix: /);
  });
});
