import { Injectable } from '@nestjs/common';
import { type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import { type Database, InjectDatabase } from '../database/database.js';
import type { ProductTable, Schema } from '../database/schema.js';
import { StaleProductError, UnknownReferenceError } from './catalogue.errors.js';
import type { Product, ProductChange, ProductPage, ProductQuery, ProductSearch, ProductUpdate } from './product.js';

/** The products in Postgres. `find` is one statement, `list` and `search` are two each, `update` a transaction of two. */
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
    return pageOf(matching, page, pageSize, (rows) => rows.orderBy('id'));
  }

  /** One page of the products that have these words in their name or description, those first that have them most. */
  async search({ q, page, pageSize }: ProductSearch): Promise<ProductPage> {
    const words = sql`websearch_to_tsquery('english', ${q})`;
    const matching = this.db.selectFrom('products').where(sql<boolean>`${TEXT} @@ ${words}`);
    return pageOf(matching, page, pageSize, (rows) =>
      rows.orderBy(sql`ts_rank(${TEXT}, ${words})`, 'desc').orderBy('id'),
    );
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

/** As the index `products_words` has it. */
const TEXT = sql`to_tsvector('english', name || ' ' || description)`;

type Matching = SelectQueryBuilder<Schema, 'products', object>;

async function pageOf(
  matching: Matching,
  page: number,
  pageSize: number,
  ordered: (rows: Matching) => Matching,
): Promise<ProductPage> {
  const [rows, { total }] = await Promise.all([
    ordered(matching)
      .selectAll()
      .limit(pageSize)
      .offset((page - 1) * pageSize)
      .execute(),
    matching.select(sql<number>`count(*)::int`.as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items: rows.map(toProduct), page, pageSize, total, pages: Math.ceil(total / pageSize) };
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
