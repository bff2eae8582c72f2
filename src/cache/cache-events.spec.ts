import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheEvents, type CacheEvent } from './cache-events.js';

const MISS: CacheEvent = { type: 'miss', key: 'app:cache:users:{secret@example.com}' };

describe('CacheEvents', () => {
  let logged: jest.SpiedFunction<Logger['error']>;
  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => logged.mockRestore());

  it('tells every listener, in the order in which they came', () => {
    const events = new CacheEvents();
    const heard: string[] = [];
    events.on(({ type }) => heard.push(`first ${type}`));
    events.on(({ type }) => heard.push(`second ${type}`));
    events.emit(MISS);
    expect(heard).toEqual(['first miss', 'second miss']);
  });

  it('tells a listener no more once it has been taken away, and one that was given twice once more', () => {
    const events = new CacheEvents();
    const listener = jest.fn();
    const cancel = events.on(listener);
    events.on(listener);
    cancel();
    cancel();
    events.emit(MISS);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('says whether anybody listens', () => {
    const events = new CacheEvents();
    expect(events.isHeard).toBe(false);
    const cancel = events.on(() => undefined);
    expect(events.isHeard).toBe(true);
    cancel();
    expect(events.isHeard).toBe(false);
  });

  it('lets a listener that throws cost nobody else the event, and logs nothing of what it threw or heard', () => {
    const events = new CacheEvents();
    const other = jest.fn();
    events.on(({ type }) => {
      throw new RangeError(`${type} secret@example.com`);
    });
    events.on(other);
    expect(() => events.emit(MISS)).not.toThrow();
    expect(other).toHaveBeenCalledWith(MISS);
    expect(logged.mock.calls).toEqual([['A listener to cache events failed: RangeError.']]);
  });

  it('lets a listener that rejects later cost the process nothing', async () => {
    const events = new CacheEvents();
    const unhandled = jest.fn();
    process.once('unhandledRejection', unhandled);
    events.on(async () => {
      throw new RangeError('secret@example.com');
    });
    events.emit(MISS);
    await new Promise((resolve) => setImmediate(resolve));
    process.removeListener('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(logged.mock.calls).toEqual([['A listener to cache events failed: RangeError.']]);
  });
});
