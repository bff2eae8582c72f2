import { JobProcess } from '../job-process.js';
import type { LockJobs } from './protocol.js';

const CHILD = new URL('./child.ts', import.meta.url);

/** A child process with locks, as its parent sees it. */
export class LockProcess extends JobProcess<LockJobs> {
  /** Starts so many, two at a time: each of them keeps a core busy for a while. */
  static async start(count: number): Promise<readonly LockProcess[]> {
    const processes: LockProcess[] = [];
    while (processes.length < count) {
      const next = Array.from({ length: Math.min(2, count - processes.length) }, () => new LockProcess(CHILD));
      processes.push(...(await Promise.all(next.map((process) => process.untilReady()))));
    }
    return processes;
  }
}
