import type { Migration } from 'kysely';
import { createCatalogue } from './0001-catalogue.js';
import { createUserSettings } from './0002-user-settings.js';
import { createProductViews } from './0003-product-views.js';
import { createProductSearch } from './0004-product-search.js';
import { createUsers } from './0005-users.js';
import { createOrders } from './0006-orders.js';
import { createPayments } from './0007-payments.js';

/** Every migration, in order. A list and not a folder scan: what runs is what was compiled. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-catalogue': createCatalogue,
  '0002-user-settings': createUserSettings,
  '0003-product-views': createProductViews,
  '0004-product-search': createProductSearch,
  '0005-users': createUsers,
  '0006-orders': createOrders,
  '0007-payments': createPayments,
};
