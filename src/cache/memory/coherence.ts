import type { Cancel } from '../../core/time/clock.js';

/** Whether local copies can be trusted: every change of what they were copied from is heard of here. */
export interface Coherence {
  /** False while changes may go unheard: then no copy is served or made. */
  readonly live: boolean;
  /** Grows when changes may have been missed: then every copy must go. */
  readonly epoch: number;
  /** Calls the listener whenever `epoch` grew or `live` changed. */
  onEpoch(listener: () => void): Cancel;
}

/** For a store that nobody but this process changes. */
export const ALWAYS_COHERENT: Coherence = { live: true, epoch: 0, onEpoch: () => () => undefined };
