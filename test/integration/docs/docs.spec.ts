import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runnableSamples } from '../../../scripts/docs/pages.mjs';
import { sharedRedis } from '../../support/redis.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const samples = runnableSamples(root);

describe('the samples of the pages', () => {
  // Inside the project, where Jest compiles a file and finds what it imports; ignored by git.
  const folder = join(root, '.cache', 'docs-samples', String(process.pid));
  const redisUrl = process.env['REDIS_URL'];

  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    process.env['REDIS_URL'] = sharedRedis('standalone').url;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    if (redisUrl === undefined) delete process.env['REDIS_URL'];
    else process.env['REDIS_URL'] = redisUrl;
  });

  it('are there', () => {
    expect(samples.length).toBeGreaterThan(0);
  });

  it.each(samples)('do what they say: $page:$line', async ({ page, line, source }) => {
    const file = join(folder, `${page.replaceAll('/', '-')}-${line}.ts`);
    writeFileSync(file, source);
    await import(file);
  });
});
