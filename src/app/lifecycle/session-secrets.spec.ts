import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { StartupError } from '../config/startup.error.js';
import { sessionSecrets } from './session-secrets.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'session-secrets-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

it('a secret is made once, for its owner alone, and is the same at the next start', async () => {
  const made = await Promise.all(
    Array.from({ length: 5 }, () => sessionSecrets({ sessionSecrets: undefined, dataDir })),
  );
  const [first] = made;
  expect(first).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
  for (const each of made) expect(each).toEqual(first);
  expect((await stat(join(dataDir, 'session-secret'))).mode & 0o777).toBe(0o600);
});

it('none is made where some are given', async () => {
  expect(await sessionSecrets({ sessionSecrets: ['given'], dataDir })).toEqual(['given']);
  expect(await readdir(dataDir)).toEqual([]);
});

it('a folder or a file that cannot be used says what to do', async () => {
  const file = join(dataDir, 'session-secret');
  await writeFile(file, 'short');
  await expect(sessionSecrets({ sessionSecrets: undefined, dataDir })).rejects.toThrow(/Take it away/);
  await expect(sessionSecrets({ sessionSecrets: undefined, dataDir: file })).rejects.toThrow(StartupError);
  await expect(sessionSecrets({ sessionSecrets: undefined, dataDir: file })).rejects.toThrow(/SESSION_SECRETS/);
});
