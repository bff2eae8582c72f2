import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ProjectCopy } from './project-copy.js';
import { runTool } from './run-tool.js';

const SOURCES = {
  'src/lock/promises.ts': `
    async function work(): Promise<void> { await Promise.resolve(); }
    work();
    [1].forEach(async () => { await work(); });
    await (1 as unknown as number);
  `,
  'src/lock/types.ts': `
    import { Redis } from 'ioredis';
    /** Doc. */
    export const read = (client: Redis, value: any): unknown => [client, value];
  `,
  'src/lock/default.ts': `export default 1;`,
  'src/lock/bare.ts': `export const undocumented = 1;`,
  'src/lock/http.ts': `
    import { ConflictException } from '@nestjs/common';
    /** Doc. */
    export const conflict = new ConflictException();
  `,
  'src/lock/environment.ts': `
    /** Doc. */
    export const url = process.env['REDIS_URL'];
  `,
  'src/app/config/environment.ts': `export const url = process.env['REDIS_URL'];`,
  'src/app/main.ts': `import { RookeryError } from 'rookery/core'; export const main = RookeryError;`,
  'src/lock/fine.ts': `
    import { Injectable } from '@nestjs/common';

    /** Documented above its decorator. */
    @Injectable()
    export class Fine {}

    /** The first overload speaks for all. */
    export function twice(value: string): string;
    export function twice(value: number): number;
    export function twice(value: string | number): string | number {
      return typeof value === 'string' ? value + value : 2 * value;
    }
  `,
};

interface FileReport {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null }[];
}

describe('the lint rules', () => {
  let project: ProjectCopy;
  let reported: Map<string, (string | null)[]>;

  beforeAll(() => {
    project = new ProjectCopy(SOURCES);
    const { output } = runTool(project.root, 'node_modules/eslint/bin/eslint.js', '--format', 'json', 'src');
    const reports = JSON.parse(output) as FileReport[];
    reported = new Map(
      reports.map(({ filePath, messages }) => [
        filePath.slice(filePath.indexOf('/src/') + 1),
        messages.map(({ ruleId }) => ruleId),
      ]),
    );
  });

  afterAll(() => {
    project[Symbol.dispose]();
  });

  it.each([
    ['a promise nobody waits for', 'src/lock/promises.ts', '@typescript-eslint/no-floating-promises'],
    ['a promise where a value is expected', 'src/lock/promises.ts', '@typescript-eslint/no-misused-promises'],
    ['an await of no promise', 'src/lock/promises.ts', '@typescript-eslint/await-thenable'],
    ['any', 'src/lock/types.ts', '@typescript-eslint/no-explicit-any'],
    ['a type imported as a value', 'src/lock/types.ts', '@typescript-eslint/consistent-type-imports'],
    ['a default export', 'src/lock/default.ts', 'no-restricted-exports'],
    ['an export without a doc comment', 'src/lock/bare.ts', 'rookery/doc-comment-on-exports'],
    ['an HTTP exception in library code', 'src/lock/http.ts', '@typescript-eslint/no-restricted-imports'],
    ['process.env in library code', 'src/lock/environment.ts', 'no-restricted-properties'],
    ['an entry that the package does not have', 'src/app/main.ts', '@typescript-eslint/no-restricted-imports'],
  ])('report %s', (_, file, rule) => {
    expect(reported.get(file)).toContain(rule);
  });

  it.each(['src/app/config/environment.ts', 'src/lock/fine.ts'])('leave %s alone', (file) => {
    expect(reported.get(file)).toEqual([]);
  });
});
