import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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
    const kept = await readFile(file, 'utf8').catch(nothingIfNotThere);
    if (kept !== undefined) return kept.trim();
    await mkdir(folder, { recursive: true });
    await makeOnce(file);
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const { message } = error as NodeJS.ErrnoException;
    throw new StartupError(
      `The secret of the session cookies cannot be kept in ${file}: ${message}. Set DATA_DIR or SESSION_SECRETS.`,
      error,
    );
  }
}

/** Of processes that start at once, one makes it, and no other sees it half written. */
async function makeOnce(file: string): Promise<void> {
  const secret = randomBytes(32).toString('base64url');
  const own = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(own, `${secret}\n`, { flag: 'wx', mode: 0o600 });
  try {
    await link(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(own);
  }
}

function nothingIfNotThere(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
