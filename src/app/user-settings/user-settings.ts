/** The languages that the shop speaks: BCP 47. */
export const LANGUAGES = ['de', 'en', 'es', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The currencies that it shows prices in: ISO 4217. */
export const CURRENCIES = ['CHF', 'EUR', 'GBP', 'USD'] as const;
export type Currency = (typeof CURRENCIES)[number];

/** What a user may choose: all of it at once. */
export interface UserSettingsChange {
  readonly language: Language;
  readonly currency: Currency;
  /** Whether the shop may send news. */
  readonly newsletter: boolean;
}

/** How a user wants the shop to be. Plain data: it is the same whether it comes from the database or from a cache. */
export interface UserSettings extends UserSettingsChange {
  /** ISO 8601, in UTC; null for a user who has never saved any settings. */
  readonly updatedAt: string | null;
}

/** For a user who has never saved any. */
export const DEFAULT_SETTINGS: UserSettings = { language: 'en', currency: 'EUR', newsletter: false, updatedAt: null };

/** Ids are positive 32-bit integers, as in the database. */
export const MAX_USER_ID = 2_147_483_647;
