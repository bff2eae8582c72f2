export { RedisSessionStore } from './redis-session-store.js';
export { SessionStoreUnavailableError } from '../stores/session-store.errors.js';
export type { SessionStoreOptions } from '../stores/session-store.options.js';
