import type { Codec } from '../../core/codec/codec.js';
import type { WriteBehindKey } from './write-behind-key.js';

/**
 * What becomes of two writes of one key that wait together: their sum, which takes safe integers, or the later one, which takes whatever
 * the codec keeps.
 */
type WriteBehindMode<Value> = [Value] extends [number] ? 'add' | 'replace' : 'replace';

/** What every process that shares a journal has to agree on. */
export interface WriteBehindSettings<Value> {
  /** Stands in every key of the journal. */
  readonly name: string;
  /** `'add'` sums the writes of a key, `'replace'` keeps the last. Not to be changed while the journal holds anything. */
  readonly mode: WriteBehindMode<Value>;
  /**
   * How values become bytes in mode `'replace'`. Default `structuredCodec`, which keeps a value exactly or refuses it. Entries of another codec
   * become dead letters; they can be retried once the old codec is back.
   */
  readonly codec?: Codec;
}

/** A journal's name, with the types of its keys and values. */
export interface WriteBehindDefinition<
  Value,
  Key extends WriteBehindKey = string | number,
> extends WriteBehindSettings<Value> {
  /** Carries the type of the keys; there is nothing here. */
  readonly keyType?: Key;
}

/**
 * Names a journal for `CacheModule.forWriteBehind` and `@InjectWriteBehind`, with its types:
 * `export const VIEWS = defineWriteBehind<number>({ name: 'product-views', mode: 'add' })`.
 */
export function defineWriteBehind<Value, Key extends WriteBehindKey = string | number>(
  settings: WriteBehindSettings<Value>,
): WriteBehindDefinition<Value, Key> {
  return settings;
}
