import { LockUsageError } from '../lock.errors.js';

/** A condition for a `WHERE`, with the one value that it refers to. */
export interface SqlFence {
  /** `("fence" IS NULL OR "fence" <= $3)` */
  readonly text: string;
  /** What the parameter stands for: text, since drivers read a `bigint` as text too. */
  readonly value: string;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_$]{0,62}$/;

/**
 * The condition on which Postgres takes a write: nobody with a later fence has written the row. Set the column to the same fence in the same statement, and look at
 * the number of rows that were written: 0 says that the lock was lost, and that somebody else has written since.
 *
 * ```ts
 * const { text, value } = sqlFence('orders.fence', lock.fence, 3);
 * await pool.query(`UPDATE orders SET state = $1, fence = $3 WHERE id = $2 AND ${text}`, ['paid', id, value]);
 * ```
 *
 * @param column a `bigint`; a table's name may stand before it, with a dot between
 * @param parameter number of the parameter, from 1 on
 * @throws {LockUsageError} for what is no column, no fence or no parameter
 */
export function sqlFence(column: string, fence: number, parameter: number): SqlFence {
  const names = column.split('.');
  if (names.length > 3 || !names.every((name) => IDENTIFIER.test(name))) {
    throw new LockUsageError(
      'The column of a fence must be a name of letters, digits and _, such as "fence" or "orders.fence".',
    );
  }
  checkFence(fence);
  if (!Number.isInteger(parameter) || parameter < 1 || parameter > 65_535) {
    throw new LockUsageError(
      `The parameter of a fence must be a whole number from 1 to 65535; it is ${String(parameter)}.`,
    );
  }
  const quoted = names.map((name) => `"${name}"`).join('.');
  return { text: `(${quoted} IS NULL OR ${quoted} <= $${parameter}::bigint)`, value: String(fence) };
}

/** @throws {LockUsageError} */
export function checkFence(fence: number): void {
  if (Number.isSafeInteger(fence) && fence > 0 && fence < 1e16) return;
  throw new LockUsageError('A fence is what lock.fence says: a whole number above 0.');
}
