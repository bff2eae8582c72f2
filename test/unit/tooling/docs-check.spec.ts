import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runTool, type ToolResult } from './run-tool.js';

const fenced = (language: string, ...lines: string[]) => ['```' + language, ...lines, '```'];

/** Each promise of the check, broken once. The line numbers in the expectations are those of this page. */
const PAGE = [
  '# A page', // 1
  '[to nowhere](./nowhere.md) and [to no heading](#absent), but [here](#a-page)', // 2
  ...fenced('ts', "import { startRedis } from 'rookery/testing';", "await startRedis({ topolojy: 'cluster' });"), // 3-6
  ...fenced('ts', "import { anything } from 'rookery/core';"), // 7-9
  '<!-- docs: setup', // 10
  'declare const greeting: string;', // 11
  '-->', // 12
  ...fenced('ts', 'const length = greeting.length;'), // 13-15
  '<!-- docs: continues -->', // 16
  ...fenced('ts', 'length.toFixed(2);', 'length.toUpperCase();'), // 17-20
  ...fenced('sh', 'npm ci && npm run no-such-script', 'npm run build'), // 21-24
  ...fenced('json', '{ "a": 1, }'), // 25-27
  ...fenced('lua', '--[[', '  Take it.', '  KEYS  lock  sausage  {lock:<name>}', '  REPLY integer  1', ']]'), // 28-34
  ...fenced('js', 'unchecked()'), // 35-37
  '<!-- docs: rum -->', // 38
  ...fenced('ts', 'export {};'),
];

describe('the docs check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-docs-'));
  let result: ToolResult;

  beforeAll(() => {
    writeFileSync(join(folder, 'page.md'), PAGE.join('\n'));
    writeFileSync(join(folder, 'good.md'), ['# Good', ...fenced('ts', 'export const one: number = 1;')].join('\n'));
    result = runTool(folder, 'scripts/check-docs.mjs', 'page.md', 'good.md');
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('fails, and finds exactly what is wrong', () => {
    expect(result.status).toBe(1);
    expect(result.output.match(/^\S+:\d+: error/gm)).toEqual(
      [2, 2, 5, 8, 19, 22, 25, 31, 35, 38].map((line) => `page.md:${line}: error`),
    );
  });

  it.each([
    ['an option that does not exist', 'page.md:5: error', 'topolojy'],
    ['an entry that the package does not export', 'page.md:8: error', 'rookery/core'],
    ['a wrong use of what the block before declared', 'page.md:19: error', 'toUpperCase'],
    ['a link to no file', 'page.md:2: error', './nowhere.md'],
    ['a link to no heading', 'page.md:2: error', '#absent'],
    ['an npm script that does not exist', 'page.md:22: error', 'no-such-script'],
    ['JSON that does not parse', 'page.md:25: error', 'JSON'],
    ['a Lua header that the build would refuse', 'page.md:31: error', 'sausage'],
    ['a language that nobody checks', 'page.md:35: error', '"js"'],
    ['a directive that does not exist', 'page.md:38: error', 'rum'],
  ])('reports %s at its line of the page', (_, place, what) => {
    const lines = result.output.split('\n').filter((line) => line.startsWith(place));
    expect(lines.join('\n')).toContain(what);
  });

  it('says nothing of a page that is right', () => {
    expect(result.output).not.toContain('good.md');
  });
});
