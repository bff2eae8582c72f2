import type { Session } from 'rookery/session';

/** What the shop keeps of a client besides who is logged in. */
interface ShopAttributes {
  /** What the user is called, so that a page can greet them without asking the database. */
  name: string;
}

export type ShopSession = Session<ShopAttributes>;
