/**
 * Whether what a server sends of its own accord reaches us.
 * - `live`: it does.
 * - `doubtful`: it did until lately, and nothing says that it does not any more.
 * - `lost`: something may have been missed by now.
 */
export type StreamState = 'live' | 'doubtful' | 'lost';

/** How often a stream is tried for life, in milliseconds. */
export const BEAT_MS = 500;

/** How long a stream may be silent, in milliseconds. With {@link BEAT_MS} it makes the 3 s that are promised, and some to spare. */
export const SILENCE_MS = 2_000;
