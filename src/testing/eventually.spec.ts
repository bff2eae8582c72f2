import { describe, expect, it } from '@jest/globals';
import { eventually, EventuallyError } from './eventually.js';

const never = (): Promise<never> => new Promise(() => undefined);

async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => expect(true).toBe(false),
    (error: unknown) => error,
  );
}

describe('eventually', () => {
  it('resolves with the value of the first try that passes', async () => {
    let tries = 0;
    const value = await eventually(
      () => {
        expect(++tries).toBe(3);
        return 'value';
      },
      { every: '1ms' },
    );
    expect(value).toBe('value');
    expect(tries).toBe(3);
  });

  it('takes asynchronous assertions', async () => {
    let tries = 0;
    await eventually(async () => expect(Promise.resolve(++tries)).resolves.toBe(2), { every: '1ms' });
    expect(tries).toBe(2);
  });

  it('runs one try at a time', async () => {
    let running = 0;
    let tries = 0;
    await eventually(
      async () => {
        expect(++running).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        expect(++tries).toBe(3);
      },
      { every: '0ms' },
    );
  });

  it('throws the last error itself, with what it took', async () => {
    let tries = 0;
    let last: Error | undefined;
    const error = await failureOf(
      eventually(
        () => {
          last = new Error(`try ${++tries}`);
          throw last;
        },
        { within: '30ms', every: '5ms' },
      ),
    );
    expect(error).toBe(last);
    expect(tries).toBeGreaterThan(1);
    expect(last?.message).toMatch(new RegExp(`^try ${tries}\\n\\(tried ${tries} times in \\d+ ms\\)$`));
    expect(last?.stack).toContain(`(tried ${tries} times in`);
  });

  it('keeps the difference that an expect shows', async () => {
    const error = await failureOf(eventually(() => expect('actual').toBe('expected'), { within: '0ms' }));
    expect(error).toMatchObject({
      message: expect.stringMatching(/expected[^]*actual[^]*tried once in/),
      matcherResult: expect.anything(),
    });
  });

  it('tries once even when there is no time', async () => {
    await expect(eventually(() => 'value', { within: '0ms' })).resolves.toBe('value');
  });

  it('gives up an assertion that never settles', async () => {
    const error = await failureOf(eventually(never, { within: '20ms' }));
    expect(error).toBeInstanceOf(EventuallyError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/tried once in \d+ ms; the last try has not settled/),
    });
  });

  it('shows the last failure when a later try never settles', async () => {
    let tries = 0;
    const attempt = eventually(
      async () => {
        if (++tries > 1) await never();
        throw new Error('not yet');
      },
      { within: '30ms', every: '1ms' },
    );
    await expect(attempt).rejects.toThrow(/^not yet\n\(tried twice in .* not settled\)$/);
  });

  it('wraps what is no error', async () => {
    const error = await failureOf(eventually(() => Promise.reject('a string'), { within: '0ms' }));
    expect(error).toBeInstanceOf(EventuallyError);
    expect(error).toMatchObject({ code: 'ROOKERY_EVENTUALLY', cause: 'a string' });
  });
});
