import { JobProcess } from '../job-process.js';
import { HOLDS, type ThrottlerJobs } from './protocol.js';

const CHILD = new URL('./child.ts', import.meta.url);

/** A child process with rate limits, as its parent sees it. */
export class ThrottlerProcess extends JobProcess<ThrottlerJobs> {
  /** Starts one for each shift of the clock, in milliseconds, and waits until all are there. */
  static async start(clockShiftsMs: readonly number[]): Promise<readonly ThrottlerProcess[]> {
    const processes = clockShiftsMs.map((shiftMs) => new ThrottlerProcess(CHILD, shiftMs));
    return Promise.all(processes.map((process) => process.untilReady()));
  }

  /** Resolves when so many slots were taken in it. */
  untilItHolds(count: number): Promise<void> {
    return this.until(() => this.news.filter((news) => news === HOLDS).length >= count, 'holding');
  }
}
