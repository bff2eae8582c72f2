import { describe, expect, it } from '@jest/globals';
import { ServerTime } from './server-time.js';

const NOON_US = 1_800_000_000_000_000;

describe('ServerTime', () => {
  it('knows nothing until a server has told its time', () => {
    expect(new ServerTime().latestUs(0, 1_000, 50)).toBe(0);
  });

  it('tells what time it is there when so many milliseconds have passed, in whole microseconds', () => {
    const time = new ServerTime();
    time.learn(0, NOON_US, 1_000);
    expect(time.latestUs(0, 1_000, 50)).toBe(NOON_US + 50_000);
    expect(time.latestUs(0, 61_000, 50)).toBe(NOON_US + 60_050_000);
    expect(time.latestUs(0, 1_000.000_3, 50)).toBe(NOON_US + 50_001);
  });

  it('never tells a time that is too early, however long the reply took to come', () => {
    const time = new ServerTime();
    // Sent at 1,000, decided at 1,030, and read at 1,040: at 2,000 it is 970 ms later there.
    time.learn(0, NOON_US, 1_000);
    expect(time.latestUs(0, 2_000, 0)).toBeGreaterThanOrEqual(NOON_US + 970_000);
  });

  it('goes by the last reply, also when the clock there was set back', () => {
    const time = new ServerTime();
    time.learn(0, NOON_US, 1_000);
    time.learn(0, NOON_US - 3_600_000_000, 2_000);
    expect(time.latestUs(0, 2_000, 50)).toBe(NOON_US - 3_600_000_000 + 50_000);
  });

  it('knows servers apart', () => {
    const time = new ServerTime();
    time.learn(1, NOON_US, 0);
    time.learn(2, NOON_US + 5_000_000, 0);
    expect([time.latestUs(1, 0, 1), time.latestUs(2, 0, 1), time.latestUs(3, 0, 1)]).toEqual([
      NOON_US + 1_000,
      NOON_US + 5_001_000,
      0,
    ]);
  });
});
