import { JobProcess } from '../job-process.js';
import { HOLDS, type OpenSettings, type ThrottlerJobs } from './protocol.js';

const CHILD = new URL('./child.ts', import.meta.url);

/** A child process with rate limits, as its parent sees it. */
export class ThrottlerProcess extends JobProcess<ThrottlerJobs> {
  /** Starts one for each shift of the clock, and opens its limits. */
  static async open(clockShiftsMs: readonly number[], settings: OpenSettings): Promise<readonly ThrottlerProcess[]> {
    const processes = clockShiftsMs.map((shiftMs) => new ThrottlerProcess(CHILD, shiftMs));
    await Promise.all(
      processes.map(async (process) => {
        await process.untilReady();
        await process.do('open', settings);
      }),
    );
    return processes;
  }

  /** Resolves when so many slots were taken in it. */
  untilItHolds(count: number): Promise<void> {
    return this.until(() => this.news.filter((news) => news === HOLDS).length >= count, 'holding');
  }
}
