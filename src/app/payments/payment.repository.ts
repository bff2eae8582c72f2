import { Injectable } from '@nestjs/common';
import { type Selectable, sql } from 'kysely';
import { type Database, InjectDatabase } from '../database/database.js';
import type { PaymentTable } from '../database/schema.js';
import type { Order } from '../orders/order.js';
import { PaymentOvertakenError } from './payment.errors.js';
import type { Payment } from './payment.js';
import type { ChargeOutcome } from './provider/charge.js';

/**
 * The payments in Postgres. Whoever writes one holds the lock on the order's payment and says its fence, and Postgres refuses who comes with an older one than has
 * written before: the lock may have been lost without its holder knowing. What is paid stays paid.
 */
@Injectable()
export class PaymentRepository {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The payment of the order, or null when nobody has tried to pay it. One statement. */
  async find(orderId: string): Promise<Payment | null> {
    const row = await this.db.selectFrom('payments').selectAll().where('order_id', '=', orderId).executeTakeFirst();
    return row === undefined ? null : paymentOf(row);
  }

  /**
   * Notes that the provider is about to be asked. Resolves with the payment, which is `pending` then; or `paid`, when it had been, and is not to be paid again. One
   * statement, and one more when that is so.
   *
   * @throws PaymentOvertakenError
   */
  async begin({ id, totalCents, currency }: Order, fence: number): Promise<Payment> {
    const begun = await this.db
      .insertInto('payments')
      .values({ order_id: id, amount_cents: totalCents, currency, status: 'pending', fence })
      .onConflict((on) =>
        on
          .column('order_id')
          .doUpdateSet((row) => ({
            status: row.ref('excluded.status'),
            fence: row.ref('excluded.fence'),
            updated_at: sql<Date>`now()`,
          }))
          .whereRef('payments.fence', '<=', 'excluded.fence')
          .where('payments.status', '<>', 'paid'),
      )
      .returningAll()
      .executeTakeFirst();
    if (begun !== undefined) return paymentOf(begun);
    const found = await this.find(id);
    if (found?.status === 'paid') return found;
    throw new PaymentOvertakenError();
  }

  /**
   * Notes what the provider has decided. One statement.
   *
   * @throws PaymentOvertakenError
   */
  async settle(orderId: string, outcome: ChargeOutcome, fence: number): Promise<Payment> {
    const settled = await this.db
      .updateTable('payments')
      .set({
        status: outcome.charged ? 'paid' : 'declined',
        charge_id: outcome.charged ? outcome.chargeId : null,
        fence,
        updated_at: sql<Date>`now()`,
      })
      .where('order_id', '=', orderId)
      .where('fence', '<=', String(fence))
      .returningAll()
      .executeTakeFirst();
    if (settled === undefined) throw new PaymentOvertakenError();
    return paymentOf(settled);
  }
}

function paymentOf(row: Selectable<PaymentTable>): Payment {
  return {
    orderId: row.order_id,
    status: row.status,
    amountCents: Number(row.amount_cents),
    currency: row.currency,
    chargeId: row.charge_id,
    updatedAt: row.updated_at.toISOString(),
  };
}
