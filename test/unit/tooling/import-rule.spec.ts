import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ProjectCopy } from './project-copy.js';
import { runTool } from './run-tool.js';

const BROKEN = {
  'src/core/index.ts': `export { clock } from './clock.js';`,
  'src/core/clock.ts': `export const clock = 1;`,
  'src/core/nosy.ts': `import { lock } from '../lock/lock.js'; export const nosy = lock;`,
  'src/lock/index.ts': `export { lock } from './lock.js';`,
  'src/lock/lock.ts': `import { clock } from '../core/clock.js'; export const lock = clock; export type Lock = number;`,
  'src/cache/index.ts': `export { cache } from './cache.js';`,
  'src/cache/cache.ts': `import { lock } from '../lock/lock.js'; export const cache = lock;`,
  'src/cache/types.ts': `import type { Lock } from '../lock/lock.js'; export type CacheLock = Lock;`,
  'src/cache/barrel.ts': `import { clock } from '../core/index.js'; export const viaIndex = clock;`,
  'src/cache/hen.ts': `import type { Egg } from './egg.js'; export type Hen = Egg;`,
  'src/cache/egg.ts': `import type { Hen } from './hen.js'; export type Egg = Hen;`,
  'src/cache/express.ts': `import express from '@nestjs/platform-express'; export const adapter = express;`,
  'src/cache/service.ts': `import { main } from '../app/main.js'; export const service = main;`,
  'src/cache/helper.ts': `import { help } from '../../test/help.js'; export const helper = help;`,
  'src/testing/peek.ts': `import { lock } from '../lock/lock.js'; export const peek = lock;`,
  'src/app/main.ts': `import { cache } from 'rookery/cache'; import { clock } from 'rookery'; export const main = [cache, clock];`,
  'src/app/near.ts': `import { cache } from '../cache/index.js'; export const near = cache;`,
  'src/app/deep.ts': `import { clock } from '../core/clock.js'; export const deep = clock;`,
  'src/app/lint.ts': `import knip from 'knip'; export const lint = knip;`,
  'test/help.ts': `import { cache } from 'rookery/cache'; export const help = cache;`,
};

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

describe('the import rule', () => {
  let project: ProjectCopy;
  let violations: string[];

  beforeAll(() => {
    project = new ProjectCopy(BROKEN);
    const { output } = runTool(
      project.root,
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      ...['--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src', 'test'],
    );
    const report = JSON.parse(output) as { summary: { violations: Violation[] } };
    violations = report.summary.violations.map(({ from, rule }) => `${from} ${rule.name}`);
  });

  afterAll(() => {
    project[Symbol.dispose]();
  });

  it.each([
    ['a feature that imports another feature', 'src/cache/cache.ts feature-knows-core-only'],
    ['a feature that imports only a type of another', 'src/cache/types.ts feature-knows-core-only'],
    ['core that imports a feature', 'src/core/nosy.ts core-knows-no-feature'],
    ['test helpers that import a feature', 'src/testing/peek.ts testing-knows-core-only'],
    ['a feature that imports the service', 'src/cache/service.ts feature-knows-core-only'],
    ['a feature that imports a test', 'src/cache/helper.ts sources-know-no-tests'],
    ['a feature that imports a development package', 'src/cache/express.ts library-uses-declared-packages-only'],
    ['an index file imported from inside', 'src/cache/barrel.ts index-is-for-users'],
    ['a circle of types', 'src/cache/egg.ts no-cycles'],
    ['the service importing the library by path', 'src/app/near.ts app-imports-by-package-name'],
    ['the service reaching into core', 'src/app/deep.ts app-imports-public-entries-only'],
    ['the service using a package it does not declare', 'src/app/lint.ts app-uses-its-own-packages-only'],
  ])('reports %s', (_, violation) => {
    expect(violations).toContain(violation);
  });

  it.each(['src/lock/lock.ts', 'src/app/main.ts', 'test/help.ts', 'src/cache/index.ts'])(
    'leaves what is allowed alone: %s',
    (file) => {
      expect(violations.filter((violation) => violation.startsWith(`${file} `))).toEqual([]);
    },
  );
});
