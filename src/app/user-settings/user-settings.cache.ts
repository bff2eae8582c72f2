import { defineCache } from 'rookery/cache';
import type { UserSettings } from './user-settings.js';

/** Settings by the id of their user, the defaults of those who have none included. */
export const USER_SETTINGS = defineCache<UserSettings>({ name: 'user-settings', ttl: '10m' });
