import { Injectable } from '@nestjs/common';
import { type Selectable, sql } from 'kysely';
import { type Database, InjectDatabase } from '../database/database.js';
import type { ProductTable } from '../database/schema.js';
import { StaleProductError, UnknownReferenceError } from './catalogue.errors.js';
import type { Product, ProductChange, ProductPage, ProductQuery, ProductUpdate } from './product.js';

/** The products in Postgres. `find` is one statement, `list` two, `update` a transaction of two. */
@Injectable()
export class ProductRepository {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The product, or null when there is none. */
  async find(id: number): Promise<Product | null> {
    const row = await this.db.selectFrom('products').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : toProduct(row);
  }

  /** One page, in the order of id. */
  async list({ category, brand, page, pageSize }: ProductQuery): Promise<ProductPage> {
    let matching = this.db.selectFrom('products');
    if (category !== undefined) {
      matching = matching.where('category', '=', category);
    }
    if (brand !== undefined) {
      matching = matching.where('brand', '=', brand);
    }
    const [rows, { total }] = await Promise.all([
      matching
        .selectAll()
        .orderBy('id')
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute(),
      matching.select(sql<number>`count(*)::int`.as('total')).executeTakeFirstOrThrow(),
    ]);
    return { items: rows.map(toProduct), page, pageSize, total, pages: Math.ceil(total / pageSize) };
  }

  /**
   * Changes a product and counts its version up; null when there is no such product.
   *
   * @param expectedVersion when given, the change is made only to this version.
   * @throws StaleProductError when the product is at another version.
   * @throws UnknownReferenceError when the category or the brand does not exist.
   */
  async update(id: number, change: ProductChange, expectedVersion?: number): Promise<ProductUpdate | null> {
    return this.db.transaction().execute(async (transaction) => {
      const before = await transaction
        .selectFrom('products')
        .select(['category', 'brand', 'version'])
        .where('id', '=', id)
        // Others' changes wait for ours: what is read here is what is overwritten below.
        .forNoKeyUpdate()
        .executeTakeFirst();
      if (before === undefined) {
        return null;
      }
      if (expectedVersion !== undefined && before.version !== expectedVersion) {
        throw new StaleProductError(before.version);
      }
      const row = await transaction
        .updateTable('products')
        .set({
          name: change.name,
          category: change.category,
          brand: change.brand,
          price_cents: change.priceCents,
          description: change.description,
          stock: change.stock,
          updated_at: sql<Date>`now()`,
          version: before.version + 1,
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
        .catch(rethrowUnknownReference);
      return { before, after: toProduct(row) };
    });
  }
}

function toProduct(row: Selectable<ProductTable>): Product {
  return {
    id: row.id,
    sku: row.sku,
    name: row.name,
    category: row.category,
    brand: row.brand,
    priceCents: row.price_cents,
    currency: row.currency,
    description: row.description,
    stock: row.stock,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    version: row.version,
  };
}

const REFERENCES = new Map([
  ['products_category_fk', 'category'],
  ['products_brand_fk', 'brand'],
] as const);

function rethrowUnknownReference(error: unknown): never {
  const constraint = error instanceof Error && 'constraint' in error ? error.constraint : undefined;
  for (const [name, field] of REFERENCES) {
    if (constraint === name) {
      throw new UnknownReferenceError(field);
    }
  }
  throw error;
}
