import { parse } from 'node:querystring';
import { describe, expect, it } from '@jest/globals';
import { ExpressAdapter } from '@nestjs/platform-express';
import { parse as fastParse } from 'fast-querystring';
import fc from 'fast-check';
import { encodeKey } from '../../core/keys/key-encoding.js';
import { toKeyParts, type KeyParts } from '../../core/keys/key-part.js';
import { countedQuery, fitsIntoKey, isEmptyQuery } from './counted-query.js';
import { addressKey, customKey, normalisedHeader, responseKey, withParts } from './response-key.js';

type Parser = (text: string) => object;

const text = (key: KeyParts): string => encodeKey(toKeyParts(key));

/** Express' own, with what it tells `qs`. */
function extended(): Parser {
  const express = new ExpressAdapter();
  express.set('query parser', 'extended');
  return express.getInstance<{ get(setting: string): Parser }>().get('query parser fn');
}

const PARSERS: [string, Parser][] = [
  ['node:querystring', parse],
  ['fast-querystring', fastParse],
  ["Express' extended one", extended()],
];

const name = fc.constantFrom(
  ...[
    'a',
    'b',
    'a%5B%5D',
    'a[]',
    '%61',
    '[a]',
    '%5Ba%5D',
    '.a',
    'a.b',
    'a[b]',
    'a%3Db',
    'a[0]',
    'a[1]',
    '__proto__',
    '',
  ],
);
const value = fc.constantFrom('1', '2', '%20', '+', '', '1,2', '1%262', ']=3', 'x=[a]', '#', '%FF');
const parameter = fc.oneof(
  { weight: 60, arbitrary: fc.tuple(name, value).map((pair) => pair.join('=')) },
  { weight: 6, arbitrary: name },
  // Where some parsers stop.
  { weight: 1, arbitrary: fc.constant(Array.from({ length: 1_000 }, (_, i) => `p${i}`).join('&')) },
);
const query = fc.array(parameter, { maxLength: 6 }).map((parameters) => parameters.join('&'));

/** As a route makes it. */
function keyOf(path: string, counted: unknown): KeyParts {
  return withParts(addressKey(path), { query: isEmptyQuery(counted) ? undefined : counted });
}

describe.each(PARSERS)('the key of a query that %s has read', (_name, read) => {
  it.each([
    ['all parameters', undefined],
    ['one listed', new Set(['a'])],
  ])('is the same only where the handler is given the same: %s', (_case, listed) => {
    fc.assert(
      fc.property(query, query, (one, other) => {
        const given = [one, other].map((asked) => countedQuery(read(asked), listed));
        fc.pre(given.every(fitsIntoKey));
        const [a, b] = given.map((counted) => text(keyOf('/products', counted)));
        fc.pre(a === b);
        expect(given[0]).toEqual(given[1]);
      }),
    );
  });

  it('is that of the URL', () => {
    for (const asked of ['page=2&brand=apple', 'brand=L%27Or%C3%A9al', 'a=1&a=2&b=x+y', 'page', '']) {
      expect(text(keyOf('/products', countedQuery(read(asked), undefined)))).toBe(
        text(responseKey(`/products?${asked}`)),
      );
    }
  });
});

describe('countedQuery', () => {
  it('drops the parameters that are not listed, and keeps the nested forms of those that are', () => {
    const listed = new Set(['page', 'brand']);
    expect(countedQuery(parse('utm_source=mail&page=2&x[brand]=1&brand[]=apple&brand=1&[brand]=2'), listed)).toEqual({
      page: '2',
      'brand[]': 'apple',
      brand: '1',
    });
    expect(countedQuery(parse('brand%3Dx=evil'), listed)).toEqual({});
  });

  it('leaves what is no record of parameters as it is, and no key holds it', () => {
    const odd = new URLSearchParams('brand=apple');
    expect(countedQuery(odd, new Set(['page']))).toBe(odd);
    expect(fitsIntoKey(odd)).toBe(false);
    expect(fitsIntoKey({ when: Symbol('x') })).toBe(false);
  });
});

describe('normalisedHeader', () => {
  it('makes no difference of case and spaces where the header makes none', () => {
    expect(normalisedHeader('accept-language', 'de ,  EN;q=0.5')).toBe('de,en;q=0.5');
    expect(normalisedHeader('x-tenant', ' Acme , b')).toBe('Acme , b');
  });
});

describe('responseKey', () => {
  it('is the key of a URL, in any order of its parameters', () => {
    expect(text(responseKey('/products?page=2&brand=apple'))).toBe(text(responseKey('/products?brand=apple&page=2')));
    expect(text(responseKey('/products?'))).toBe(text(responseKey('/products')));
    expect(text(responseKey('/products?a=1&a=2'))).not.toBe(text(responseKey('/products?a=2&a=1')));
  });

  it('is the key of what a route gives, which no URL can be taken for', () => {
    expect(text(responseKey(['product', 7]))).toBe(text(customKey(['product', 7])));
    expect(text(responseKey(['/products', 'page=2']))).not.toBe(text(responseKey('/products?page=2')));
  });

  it('tells the other parts apart', () => {
    const page = '/products';
    const keys = [
      responseKey(page),
      responseKey(`${page}?per=u1`),
      responseKey(page, { per: 'u1' }),
      responseKey(page, { vary: { 'accept-language': 'u1' } }),
      responseKey(page, { version: 'u1' }),
      responseKey(page, { host: 'u1' }),
    ].map(text);
    expect(new Set(keys).size).toBe(keys.length);
    expect(text(responseKey(page, { vary: { 'Accept-Language': 'de ,  EN' } }))).toBe(
      text(responseKey(page, { vary: { 'accept-language': 'de,en' } })),
    );
    expect(text(responseKey(page, { vary: { 'X-Tenant': 'Acme' } }))).not.toBe(
      text(responseKey(page, { vary: { 'x-tenant': 'acme' } })),
    );
  });
});
