import { encodeKey } from '../../core/keys/key-encoding.js';
import { KeyEncodingError } from '../../core/keys/key-encoding.error.js';

/**
 * What counts of a query that the adapter's parser has read: the parameters whose names are listed, `brand[]`, `brand[x]` and `brand.x` with `brand`; all
 * without a list. The key is made of it and the handler is given it, so that no second reading of the same text can differ from the first.
 */
export function countedQuery(query: unknown, only: ReadonlySet<string> | undefined): unknown {
  // What is no record of parameters, such as a URLSearchParams, cannot be filtered.
  if (!isRecord(query)) return query;
  const entries = Object.entries(query);
  return Object.fromEntries(only === undefined ? entries : entries.filter(([name]) => only.has(baseName(name))));
}

/** Whether a key can hold the query: texts and lists of them, and whatever else `encodeKey` tells apart. */
export function fitsIntoKey(query: unknown): boolean {
  if (isRecord(query) && Object.values(query).every((value) => typeof value === 'string')) return true;
  try {
    encodeKey([query as object]);
    return true;
  } catch (error) {
    if (error instanceof KeyEncodingError) return false;
    throw error;
  }
}

/** Whether there are no parameters at all. */
export function isEmptyQuery(query: unknown): boolean {
  return isRecord(query) && Object.keys(query).length === 0;
}

/** An object with no class of its own. Parsers make some whose prototype has nothing. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function baseName(name: string): string {
  const nested = name.search(/[[.]/);
  return nested === -1 ? name : name.slice(0, nested);
}
