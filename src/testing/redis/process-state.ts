import { readFile, readlink } from 'node:fs/promises';
import { run } from '../binary/run.js';

/** Whether a process is stopped by SIGSTOP, from the kernel's own table, or from `ps` where there is no /proc. */
export async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The program's name stands in parentheses before the state and may itself contain any character.
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  return (await run('ps', ['-o', 'state=', '-p', String(pid)])).stdout.trim().startsWith('T');
}

/** Whether a process lives and works in the folder. Without /proc, whether it lives. */
export async function worksIn(pid: number, folder: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if ((await readlink('/proc/self/cwd').catch(() => undefined)) === undefined) return true;
  return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === folder;
}
