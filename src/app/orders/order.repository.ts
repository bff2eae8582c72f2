import { Injectable } from '@nestjs/common';
import { sql, type Transaction } from 'kysely';
import { type Database, InjectDatabase } from '../database/database.js';
import type { Schema } from '../database/schema.js';
import { OutOfStockError, UnknownProductError } from './order.errors.js';
import type { Order, OrderLine, OrderRequest } from './order.js';

/** All prices of the shop are in it. */
const CURRENCY = 'EUR';

/** The orders in Postgres. */
@Injectable()
export class OrderRepository {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The order, or null when there is none. Two statements. */
  async find(id: string): Promise<Order | null> {
    const [order, lines] = await Promise.all([
      this.db
        .selectFrom('orders')
        .leftJoin('payments', 'payments.order_id', 'orders.id')
        .selectAll('orders')
        .select('payments.status as payment_status')
        .where('orders.id', '=', id)
        .executeTakeFirst(),
      this.db
        .selectFrom('order_lines')
        .select(['product_id as productId', 'quantity', 'price_cents as priceCents'])
        .where('order_id', '=', id)
        .orderBy('product_id')
        .execute(),
    ]);
    if (order === undefined) return null;
    return {
      id: order.id,
      lines,
      totalCents: Number(order.total_cents),
      currency: order.currency,
      paymentStatus: order.payment_status ?? 'unpaid',
      createdAt: order.created_at.toISOString(),
    };
  }

  /**
   * Takes the products out of the store and notes the order, all of it or nothing of it.
   *
   * @throws UnknownProductError
   * @throws OutOfStockError
   */
  async place(request: OrderRequest): Promise<Order> {
    return this.db.transaction().execute(async (transaction) => {
      const lines: OrderLine[] = [];
      // In one order for all, so that no two orders wait for each other.
      for (const { productId, quantity } of request.toSorted((a, b) => a.productId - b.productId)) {
        lines.push({ productId, quantity, priceCents: await takeFromStore(transaction, productId, quantity) });
      }
      const totalCents = lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
      const order = await transaction
        .insertInto('orders')
        .values({ total_cents: totalCents, currency: CURRENCY })
        .returning(['id', 'created_at'])
        .executeTakeFirstOrThrow();
      await transaction
        .insertInto('order_lines')
        .values(
          lines.map(({ productId, quantity, priceCents }) => ({
            order_id: order.id,
            product_id: productId,
            quantity,
            price_cents: priceCents,
          })),
        )
        .execute();
      return {
        id: order.id,
        lines,
        totalCents,
        currency: CURRENCY,
        paymentStatus: 'unpaid',
        createdAt: order.created_at.toISOString(),
      };
    });
  }
}

/** Resolves with the price of one. */
async function takeFromStore(transaction: Transaction<Schema>, productId: number, quantity: number): Promise<number> {
  const taken = await transaction
    .updateTable('products')
    .set((now) => ({
      stock: now('stock', '-', quantity),
      version: now('version', '+', 1),
      updated_at: sql<Date>`now()`,
    }))
    .where('id', '=', productId)
    .where('stock', '>=', quantity)
    .returning('price_cents')
    .executeTakeFirst();
  if (taken !== undefined) return taken.price_cents;
  const product = await transaction.selectFrom('products').select('id').where('id', '=', productId).executeTakeFirst();
  throw product === undefined ? new UnknownProductError(productId) : new OutOfStockError(productId);
}
