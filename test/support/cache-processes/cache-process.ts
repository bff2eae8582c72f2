import { JobProcess } from '../job-process.js';
import { HANGS, type CacheJobs } from './protocol.js';

const CHILD = new URL('./child.ts', import.meta.url);

/** A child process with a cache, as its parent sees it. */
export class CacheProcess extends JobProcess<CacheJobs> {
  constructor() {
    super(CHILD);
  }

  /** Starts that many, and waits until all are there. */
  static async start(count: number): Promise<readonly CacheProcess[]> {
    const processes = Array.from({ length: count }, () => new CacheProcess());
    return Promise.all(processes.map((process) => process.untilReady()));
  }

  /** Resolves when the loader that was told to hang has begun. */
  untilItHangs(): Promise<void> {
    return this.until(() => this.news.includes(HANGS), 'hanging');
  }
}
