import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppConfig } from '../config/app-config.js';
import { StartupError } from '../config/startup.error.js';

const SECRET = /^\S{32,}$/;

/**
 * The secrets of SESSION_SECRETS, or one that is made at the first start and kept in the data folder, so that nobody is logged out by a restart. Several machines
 * need the same: there SESSION_SECRETS has to be set.
 *
 * @throws StartupError when the folder cannot be used
 */
export async function sessionSecrets({
  sessionSecrets: given,
  dataDir,
}: Pick<AppConfig, 'sessionSecrets' | 'dataDir'>): Promise<readonly string[]> {
  if (given !== undefined) return given;
  const file = join(dataDir, 'session-secret');
  const secret = await keptSecret(dataDir, file);
  if (SECRET.test(secret)) return [secret];
  throw new StartupError(
    `The file ${file} holds no secret of 32 characters or more. Take it away, and a new one is made; or set SESSION_SECRETS.`,
  );
}

async function keptSecret(folder: string, file: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    // Of two processes that start at once, one writes.
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 }).catch(
      unlessItIsThere,
    );
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new StartupError(
      `The secret of the session cookies cannot be kept in ${file}: ${error.message}. Set DATA_DIR or SESSION_SECRETS.`,
      error,
    );
  }
}

function unlessItIsThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
