import type { Insertable } from 'kysely';
import type { ProductTable } from '../../database/schema.js';
import { type Random, seededRandom } from './random.js';
import { brands, categories, colours } from './vocabulary.js';

type NewProduct = Omit<Insertable<ProductTable>, 'created_at' | 'updated_at' | 'version'>;

/** Changing it, or the order of the draws below, changes every product of the shop. */
const SEED = 20_260_101;

/** The first `count` products, by id from 1: product 1 is the same on every machine and at every count. */
export function* generateProducts(count: number): Generator<NewProduct> {
  const random = seededRandom(SEED);
  for (let id = 1; id <= count; id += 1) {
    yield generateProduct(id, random);
  }
}

function generateProduct(id: number, random: Random): NewProduct {
  const category = random.pick(categories);
  const brand = random.pick(brands);
  const quality = random.pick(category.qualities);
  const thing = random.pick(category.things);
  const colour = random.pick(colours);
  const [cheapest, dearest] = category.priceCents;
  return {
    id,
    sku: `${category.slug.slice(0, 3).toUpperCase()}-${String(id).padStart(6, '0')}`,
    name: `${quality} ${thing}, ${colour}`,
    category: category.slug,
    brand: brand.slug,
    price_cents: shopPrice(random.integer(cheapest, dearest)),
    currency: 'EUR',
    description: `${thing} in ${quality.toLowerCase()}, ${colour.toLowerCase()}, made by ${brand.name}.`,
    stock: random.integer(0, 250),
  };
}

/** Prices end in 90 cents, as they do in shops. */
function shopPrice(cents: number): number {
  return Math.max(90, Math.floor(cents / 100) * 100 - 10);
}
