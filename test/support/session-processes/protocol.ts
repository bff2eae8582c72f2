import type { RedisConnectionOptions } from '../../../src/core/redis/config/redis.options.js';
import type { SessionEndsOptions } from '../../../src/session/index.js';

/** The sessions of one process. */
interface OpenSettings {
  readonly redis: RedisConnectionOptions;
  readonly prefix: string;
  readonly ends?: SessionEndsOptions;
}

/** What a process does with a session that it has read before. */
export type Act =
  /** Sets an attribute of its own, and saves. */
  | { readonly type: 'save'; readonly name: string }
  | { readonly type: 'regenerate' }
  | { readonly type: 'destroy' }
  | { readonly type: 'revoke-all' }
  | { readonly type: 'nothing' };

/** What became of it. The token is the session's from then on, when the process knows it. */
export interface Outcome {
  readonly isDone: boolean;
  readonly token: string | null;
}

/** What a child can be told to do, with what it is given and what it answers. */
export type SessionJobs = {
  readonly open: { readonly given: OpenSettings; readonly answer: null };
  /** Reads sessions. Answers with how many there are. */
  readonly read: { readonly given: readonly string[]; readonly answer: number };
  /** Does one thing with each of those, all at once. */
  readonly act: { readonly given: readonly Act[]; readonly answer: readonly Outcome[] };
  /** Hears of ends, and tells of each. A listener that hangs is done with none. */
  readonly listen: { readonly given: { readonly hangs: boolean }; readonly answer: null };
  /** The listener leaves. */
  readonly leave: { readonly given: null; readonly answer: null };
  readonly close: { readonly given: null; readonly answer: null };
};
