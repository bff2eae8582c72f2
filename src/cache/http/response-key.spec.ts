import { parse } from 'node:querystring';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeKey } from '../../core/keys/key-encoding.js';
import { toKeyParts } from '../../core/keys/key-part.js';
import { addressKey, canonicalQuery, customKey, parameterName, responseKey } from './response-key.js';

const text = (key: ReturnType<typeof responseKey>): string => encodeKey(toKeyParts(key));
const parameter = fc
  .tuple(fc.constantFrom('a', 'b', 'a%5B%5D', 'a[]', '%61', 'page'), fc.constantFrom('1', '2', '%20', ''))
  .map(([name, value]) => `${name}=${value}`);
const query = fc.array(parameter, { maxLength: 6 }).map((parameters) => parameters.join('&'));

describe('canonicalQuery', () => {
  it('makes one of queries that differ in the order of their parameters', () => {
    expect(canonicalQuery('page=2&brand=apple', undefined)).toBe(canonicalQuery('brand=apple&page=2', undefined));
  });

  it('keeps the order of the values of one parameter, however its name is written', () => {
    expect(canonicalQuery('a=1&a=2', undefined)).not.toBe(canonicalQuery('a=2&a=1', undefined));
    expect(canonicalQuery('a=1&%61=2', undefined)).not.toBe(canonicalQuery('%61=2&a=1', undefined));
    expect(canonicalQuery('a[]=1&a=2', undefined)).not.toBe(canonicalQuery('a=2&a[]=1', undefined));
  });

  it('makes one of two queries only where a parser gives a handler the same', () => {
    fc.assert(
      fc.property(query, query, (one, other) => {
        fc.pre(canonicalQuery(one, undefined) === canonicalQuery(other, undefined));
        expect({ ...parse(one) }).toEqual({ ...parse(other) });
      }),
    );
  });

  it('drops the parameters that are not listed, nested forms included', () => {
    const listed = new Set(['page', 'brand']);
    expect(canonicalQuery('utm_source=mail&page=2&x[brand]=1&brand[]=apple', listed)).toBe('brand[]=apple&page=2');
    expect(canonicalQuery('utm_source=mail', listed)).toBe('');
    expect(canonicalQuery('', listed)).toBe('');
  });
});

describe('parameterName', () => {
  it.each([
    ['page=2', 'page'],
    ['page', 'page'],
    ['=2', ''],
    ['a=b=c', 'a'],
    ['brand%5B0%5D=apple', 'brand'],
    ['brand.name=apple', 'brand'],
    ['my+name=x', 'my name'],
    ['%FF=x', '%FF'],
  ])('of %s is %j', (parameter, name) => {
    expect(parameterName(parameter)).toBe(name);
  });
});

describe('responseKey', () => {
  it('is the key of a URL, in any order of its parameters', () => {
    expect(text(responseKey('/products?page=2&brand=apple'))).toBe(
      text(addressKey('/products?brand=apple&page=2', undefined)),
    );
    expect(text(responseKey('/products?'))).toBe(text(addressKey('/products', undefined)));
  });

  it('is the key of what a route gives, which no URL can be taken for', () => {
    expect(text(responseKey(['product', 7]))).toBe(text(customKey(['product', 7])));
    expect(text(responseKey(['/products', 'page=2']))).not.toBe(text(responseKey('/products?page=2')));
  });

  it('tells the other parts apart', () => {
    const page = '/products';
    const keys = [
      responseKey(page),
      responseKey(page, { per: 'u1' }),
      responseKey(page, { vary: { 'accept-language': 'u1' } }),
      responseKey(page, { version: 'u1' }),
      responseKey(page, { host: 'u1' }),
    ].map(text);
    expect(new Set(keys).size).toBe(keys.length);
    expect(text(responseKey(page, { vary: { 'Accept-Language': 'de ,  EN' } }))).toBe(
      text(responseKey(page, { vary: { 'accept-language': 'de,en' } })),
    );
  });
});
