import { describe, expect, it } from '@jest/globals';
import { generateProducts } from './generate-products.js';
import { brands, categories } from './vocabulary.js';

const products = [...generateProducts(10_000)];

describe('generateProducts', () => {
  it('makes the same products every time, however many are asked for', () => {
    expect([...generateProducts(25)]).toEqual(products.slice(0, 25));
    expect(products[0]).toMatchInlineSnapshot(`
      {
        "brand": "harrow-lane",
        "category": "bedding",
        "currency": "EUR",
        "description": "Bedspread in flannel, natural, made by Harrow Lane.",
        "id": 1,
        "name": "Flannel Bedspread, Natural",
        "price_cents": 4590,
        "sku": "BED-000001",
        "stock": 95,
      }
    `);
  });

  it('numbers them from 1 and gives each a SKU of its own', () => {
    expect(products.map(({ id }) => id)).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
    expect(new Set(products.map(({ sku }) => sku)).size).toBe(10_000);
  });

  it('fills every category and every brand', () => {
    expect(new Set(products.map(({ category }) => category))).toEqual(new Set(categories.map(({ slug }) => slug)));
    expect(new Set(products.map(({ brand }) => brand))).toEqual(new Set(brands.map(({ slug }) => slug)));
  });

  it('prices them in whole cents, ending in 90', () => {
    expect(products.filter(({ price_cents: cents }) => cents < 90 || cents % 100 !== 90)).toEqual([]);
  });
});
