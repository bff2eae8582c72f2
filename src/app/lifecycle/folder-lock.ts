import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartupError } from '../config/startup.error.js';

/**
 * Makes this process the only user of a folder, by a file beside it that holds the process id. A lock whose process is
 * gone, as after a crash, is taken over.
 *
 * @returns what gives the folder up.
 * @throws StartupError when another process that is alive has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = `${folder}.lock`;
  await mkdir(dirname(file), { recursive: true });
  if (!(await claim(file))) {
    const owner = await ownerOf(file);
    if (owner !== undefined && isAlive(owner)) {
      throw new StartupError(
        `The data in ${folder} is in use by another service (process ${owner}).\n` +
          `Stop that one, or set DATA_DIR to another folder. If there is no such service, delete ${file}.`,
      );
    }
    await rm(file, { force: true });
    if (!(await claim(file))) {
      throw new StartupError(`Another service is just starting with the data in ${folder}.`);
    }
  }
  return () => rm(file, { force: true });
}

async function claim(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

async function ownerOf(file: string): Promise<number | undefined> {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) {
    // In a container every start has the same process id: the file is our own former life's.
    return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
