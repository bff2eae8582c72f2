import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { resolveSessionConfig } from './session-config.js';
import type { SessionModuleOptions } from './session.options.js';

const secrets = ['s'.repeat(32)];
const resolve = (options: unknown) => resolveSessionConfig({ secrets, ...(options as Partial<SessionModuleOptions>) });

describe('options', () => {
  it('have defaults', () => {
    expect(resolve({})).toMatchObject({
      idleMs: 1_800_000,
      lifeMs: 43_200_000,
      graceMs: 10_000,
      most: 0,
      evicts: true,
      ends: null,
      deadlineMs: 1_000,
      cookie: { name: '__Host-sid', attributes: 'Path=/; HttpOnly; Secure; SameSite=Lax', persistent: false },
    });
    expect(resolve({ ends: {} }).ends).toEqual({ everyMs: 5_000, retryAfterMs: 30_000 });
    expect(resolve({ rotationGrace: '0ms' }).graceMs).toBe(0);
  });

  it.each([
    [{ secure: false }, 'sid'],
    [{ domain: 'example.com' }, '__Secure-sid'],
    [{ path: '/shop' }, '__Secure-sid'],
    [{ name: 'own' }, 'own'],
  ])('%j names the cookie %s', (cookie, name) => {
    expect(resolve({ cookie }).cookie.name).toBe(name);
  });

  it.each<[object, RegExp]>([
    [{ secrets: [] }, /secrets/],
    [{ secrets: undefined }, /secrets/],
    [{ secrets: ['short'] }, /secrets.*32 characters/],
    [{ secrets: [...secrets, 7] }, /secrets/],
    [{ idleTimeout: '30' }, /idleTimeout/],
    [{ idleTimeout: '0ms' }, /idleTimeout/],
    [{ absoluteTimeout: '5ms' }, /absoluteTimeout/],
    [{ rotationGrace: 'soon' }, /rotationGrace/],
    [{ maxPerUser: 0 }, /maxPerUser/],
    [{ maxPerUser: 1.5 }, /maxPerUser/],
    [{ whenFull: 'explode' }, /whenFull/],
    [{ ends: { every: 'often' } }, /ends\.every/],
    [{ ends: { retryAfter: '0ms' } }, /ends\.retryAfter/],
    [{ redisDeadline: '' }, /redisDeadline/],
    [{ cookie: { name: 'a b' } }, /cookie\.name/],
    [{ cookie: { path: 'shop' } }, /cookie\.path/],
    [{ cookie: { path: '/;Secure' } }, /cookie\.path/],
    [{ cookie: { domain: 'example.com; Secure' } }, /cookie\.domain/],
    [{ cookie: { sameSite: 'some' } }, /cookie\.sameSite/],
    [{ cookie: { sameSite: 'none', secure: false } }, /cookie\.sameSite/],
    [{ cookie: { name: '__Host-sid', path: '/shop' } }, /__Host-sid/],
    [{ cookie: { name: '__Secure-sid', secure: false } }, /__Secure-sid/],
  ])('%j are refused, with what is wrong', (options, message) => {
    expect(() => resolve(options)).toThrow(ConfigurationError);
    expect(() => resolve(options)).toThrow(message);
  });

  it('are refused without a word of a secret', () => {
    expect(() => resolve({ secrets: ['hunter2'] })).toThrow(/^(?!.*hunter2)/s);
  });
});
