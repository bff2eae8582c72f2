import { defineWriteBehind } from 'rookery/cache';

/** Views that are not in the database yet: how many of each product. */
export const PRODUCT_VIEWS = defineWriteBehind<number, number>({ name: 'product-views', mode: 'add' });
