import type { KeyParts } from '../../core/keys/key-part.js';
import type { Caller } from '../../core/calls/caller.js';

/**
 * Says whose counter a request goes to: callers with equal keys share one. A key must be hard to come by anew, or a caller is rid of the
 * limit by changing it; and it is part of a key in Redis, so it must hold no secret.
 */
export type Tracker = (caller: Caller) => KeyParts | Promise<KeyParts>;
