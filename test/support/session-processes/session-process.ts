import { JobProcess } from '../job-process.js';
import type { SessionJobs } from './protocol.js';

const CHILD = new URL('./child.ts', import.meta.url);

/** A child process with sessions, as its parent sees it. */
export class SessionProcess extends JobProcess<SessionJobs> {
  /** Starts so many, and waits until all are there. */
  static async start(count: number): Promise<readonly SessionProcess[]> {
    const processes = Array.from({ length: count }, () => new SessionProcess(CHILD));
    return Promise.all(processes.map((process) => process.untilReady()));
  }
}
