import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newSessionId } from '../engine/session-id.js';
import { SessionKeySpace } from '../engine/session-keys.js';
import { resolveCookie } from './cookie-config.js';
import { KnownTokens } from './known-tokens.js';
import { SessionCookie } from './session-cookie.js';
import { Signer } from './signer.js';

const secret = (): ReturnType<typeof createSecretKey> => createSecretKey(randomBytes(32));
const [newest, older] = [secret(), secret()];
const signer = new Signer([newest, older], 'sid');
const keys = new SessionKeySpace({ keyPrefix: 'shop' });
const cookie = new SessionCookie(resolveCookie({ name: 'sid' }), signer, new KnownTokens(signer, keys));
const id = newSessionId('ada');
const token = signer.sign(id);

describe('a token', () => {
  it('is signed by the newest secret, and verified by all', () => {
    expect(new Signer([newest], 'sid').verify(token)).toBe(id);
    expect(signer.verify(new Signer([older], 'sid').sign(id))).toBe(id);
    expect(new Signer([older], 'sid').verify(token)).toBeNull();
    expect(new Signer([newest], 'another').verify(token)).toBeNull();
  });

  it('is none when a single character is another', () => {
    for (let at = 0; at < token.length; at++) {
      const other = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(signer.verify(other)).toBeNull();
    }
  });

  it('is none that it was not made as, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 120 }), fc.string({ unit: 'binary', minLength: 89, maxLength: 89 })),
        (text) => {
          expect(signer.verify(text)).toBeNull();
        },
      ),
    );
  });
});

describe('a header', () => {
  it.each([
    [`sid=${token}`],
    [`a=b; sid=${token}; c=d`],
    [`a=b;sid=${token};c=d`],
    [`sid="${token}"`],
    [`sid=planted; sid=${token}`],
    [`sid=; sid=${token}`],
    [`xsid=1; sid=${token}`],
    [`a=sid=1; sid=${token}`],
  ])('%s brings a token', (header) => {
    expect(cookie.read(header)?.id).toBe(id);
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['a=b', undefined],
    [`xsid=${token}`, undefined],
    [`a=sid=${token}`, undefined],
    ['sid=', null],
    [`sid=${token}x`, null],
    [`sid=${'1; sid='.repeat(5)}${token}`, null],
    [`SID=${token}`, undefined],
  ])('%s brings none', (header, expected) => {
    expect(cookie.read(header)).toBe(expected);
  });

  it('is read in time that is in proportion to its length, and without an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => void cookie.read(`${text}sid=${text}`)),
    );
    const startedMs = performance.now();
    cookie.read('sid=; '.repeat(3_000));
    cookie.read('xsid='.repeat(3_000));
    expect(performance.now() - startedMs).toBeLessThan(200);
  });
});
