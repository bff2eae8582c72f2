import type { Redis } from 'ioredis';
import { Lane, type LaneOptions } from './lane.js';

/** How many of the primaries can be used now. */
export interface Coverage {
  /** Primaries there are; 0 while a cluster has not been discovered. */
  readonly total: number;
  readonly usable: number;
  /** What is wrong with the others, when it is known. */
  readonly reason: string | undefined;
}

/** Knows which node a key lives on, and holds a {@link Lane} to each. */
export interface LaneRouter {
  /** Keys with equal groups may stand in one multi-key command. */
  groupOf(key: string): number;
  /** The lane to a slot's primary; any usable lane for null, a command without keys. Null when there is none. */
  laneFor(slot: number | null): Lane | null;
  /** A lane to each primary that owns slots; null while one of them is not known. */
  everyLane(): readonly Lane[] | null;
  coverage(): Coverage;
  /** Takes away every listener and timer. The client itself is left to its owner. */
  dispose(): void;
}

/** One server, or the primary behind Sentinels: everything goes one way. */
export class SingleRouter implements LaneRouter {
  readonly #lane: Lane;

  constructor(redis: Redis, options: LaneOptions) {
    this.#lane = new Lane(redis, options);
  }

  groupOf(): number {
    return 0;
  }

  laneFor(): Lane {
    return this.#lane;
  }

  everyLane(): readonly Lane[] {
    return [this.#lane];
  }

  coverage(): Coverage {
    return { total: 1, usable: this.#lane.refusal === null ? 1 : 0, reason: this.#lane.lastError };
  }

  dispose(): void {
    this.#lane.dispose();
  }
}
