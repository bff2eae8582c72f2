/** A header as it is kept. */
export type StoredHeader = readonly [name: string, value: string | readonly string[]];

/** How a body is kept. */
type BodyForm =
  /** The text that is sent. */
  | 'text'
  /** The bytes that are sent, in base64. */
  | 'base64'
  /** `null`: what the adapter makes of it. */
  | 'nothing'
  /** What the handler gave, by the structured codec: the adapter encodes it each time. */
  | 'value';

/** An answer as it lies in the cache. Plain data, so that every codec keeps it. */
export interface StoredResponse {
  readonly status: number;
  readonly etag: string;
  /** When the handler had run, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The content type that the body's form implies; null when the adapter, or the handler, decides. */
  readonly type: string | null;
  /** Headers that the handler set by itself. */
  readonly headers: readonly StoredHeader[];
  readonly form: BodyForm;
  readonly body: string;
}
