import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../testing/eventually.js';
import { Heartbeat } from './heartbeat.js';

const EVERY_MS = 20;
const LIMIT_MS = 100;

const running: Heartbeat[] = [];
afterEach(() => running.splice(0).forEach((heartbeat) => heartbeat.stop()));

/** A heartbeat and all that it told, in order. */
function beating(ask: () => Promise<unknown>): { readonly told: string[]; readonly heartbeat: Heartbeat } {
  const told: string[] = [];
  const heartbeat = new Heartbeat({
    everyMs: EVERY_MS,
    limitMs: LIMIT_MS,
    ask: () => {
      told.push('asked');
      return ask();
    },
    onDoubt: () => told.push('doubt'),
    onProof: () => told.push('proof'),
    onSilence: () => told.push('silence'),
  });
  running.push(heartbeat);
  heartbeat.start();
  return { told, heartbeat };
}

const without = (told: readonly string[], word: string): string[] => told.filter((each) => each !== word);

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('Heartbeat', () => {
  it('tells nothing while it is answered', async () => {
    const { told } = beating(() => Promise.resolve());
    await eventually(() => expect(told.length).toBeGreaterThan(5));
    expect(without(told, 'asked')).toEqual([]);
  });

  it('doubts, and then tells of silence, when a question gets no answer, and asks no other meanwhile', async () => {
    const { told } = beating(() => new Promise(() => undefined));
    await eventually(() => expect(told).toContain('silence'));
    expect(told.filter((word) => word === 'asked')).toHaveLength(1);
    expect(without(told, 'asked').sort()).toEqual(['doubt', 'silence']);
  });

  it('doubts as soon as a process that stood still goes on, until a question asked since is answered', async () => {
    const { told } = beating(() => new Promise((resolve) => void setTimeout(resolve, 1)));
    await eventually(() => {
      expect(told.length).toBeGreaterThan(2);
      // A busy machine may have made it doubt before.
      expect(told.lastIndexOf('doubt')).toBeLessThanOrEqual(told.lastIndexOf('proof'));
    });
    told.length = 0;
    standStill(3 * LIMIT_MS);
    await eventually(() => expect(told).toContain('proof'));
    expect(without(told, 'asked')).toEqual(['doubt', 'proof']);
    expect(told.indexOf('asked')).toBeLessThan(told.indexOf('proof'));
    expect(told.slice(0, told.indexOf('proof'))).toContain('asked');
  });

  it('takes an old answer for no proof', async () => {
    let answer: (() => void) | undefined;
    const { told } = beating(() => new Promise<void>((resolve) => void (answer = resolve)));
    await eventually(() => expect(told).toContain('asked'));
    standStill(3 * LIMIT_MS);
    await eventually(() => expect(told).toContain('doubt'), { every: '1ms' });
    // It had been asked before the standstill, and says nothing about the time since.
    answer?.();
    await eventually(() => expect(told.filter((word) => word === 'asked').length).toBeGreaterThan(1));
    expect(told).not.toContain('proof');
    answer?.();
    await eventually(() => expect(told).toContain('proof'));
  });

  it('goes on asking when the other side is known not to answer, and doubts', async () => {
    const { told } = beating(() => Promise.reject(new Error('gone')));
    await eventually(() => expect(told).toContain('doubt'));
    expect(told.filter((word) => word === 'asked').length).toBeGreaterThan(2);
    expect(told).not.toContain('silence');
  });

  it('tells nothing once it is stopped, and starts anew without doubts', async () => {
    let answer: (() => void) | undefined;
    const { told, heartbeat } = beating(() => new Promise<void>((resolve) => void (answer = resolve)));
    await eventually(() => expect(told).toContain('doubt'));
    heartbeat.stop();
    answer?.();
    const before = told.length;
    heartbeat.start();
    await eventually(() => expect(told.length).toBeGreaterThan(before));
    expect(told.slice(before)).toEqual(['asked']);
  });
});
