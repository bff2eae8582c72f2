import type { Migration } from 'kysely';
import { createCatalogue } from './0001-catalogue.js';

/** Every migration, in order. A list and not a folder scan: what runs is what was compiled. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-catalogue': createCatalogue,
};
