import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppConfig } from '../config/app-config.js';
import { StartupError } from '../config/startup.error.js';

const SECRET = /^\S{32,}$/;

/**
 * The secrets of SESSION_SECRETS, or one that is made at the first start and kept in the data folder, so that nobody is logged out by a restart. Several machines
 * need the same: there SESSION_SECRETS has to be set.
 */
export async function sessionSecrets({ sessionSecrets: given, dataDir }: AppConfig): Promise<readonly string[]> {
  if (given !== undefined) return given;
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'session-secret');
  try {
    // Of two processes that start at once, one writes.
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const secret = (await readFile(file, 'utf8')).trim();
  if (!SECRET.test(secret)) {
    throw new StartupError(
      `The file ${file} holds no secret of 32 characters or more. Take it away, and a new one is made.`,
    );
  }
  return [secret];
}
