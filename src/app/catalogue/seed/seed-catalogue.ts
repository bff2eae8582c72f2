import type { Database } from '../../database/database.js';
import { generateProducts } from './generate-products.js';
import { brands, categories } from './vocabulary.js';

/** How many products the shop has. */
const PRODUCT_COUNT = 10_000;

/** Postgres takes 65,535 parameters in one statement; a product takes nine. */
const BATCH = 1_000;

/**
 * Fills an empty catalogue, all of it or nothing of it; leaves one with products as it is. Of several services that
 * start at once one seeds, the others find the shop full.
 *
 * @returns how many products were added.
 */
export async function seedCatalogue(db: Database, count = PRODUCT_COUNT): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    // Slugs are keys, so a second seeder waits here until the first has committed, and then finds the products.
    await transaction
      .insertInto('categories')
      .values(categories.map(toSlugRow))
      .onConflict((on) => on.doNothing())
      .execute();
    await transaction
      .insertInto('brands')
      .values(brands.map(toSlugRow))
      .onConflict((on) => on.doNothing())
      .execute();
    const first = await transaction.selectFrom('products').select('id').limit(1).executeTakeFirst();
    if (first !== undefined) {
      return 0;
    }
    const products = [...generateProducts(count)];
    for (let from = 0; from < products.length; from += BATCH) {
      await transaction
        .insertInto('products')
        .values(products.slice(from, from + BATCH))
        .execute();
    }
    return products.length;
  });
}

function toSlugRow({ slug, name }: { readonly slug: string; readonly name: string }) {
  return { slug, name };
}
