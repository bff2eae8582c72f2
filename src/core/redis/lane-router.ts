import { Cluster, type Redis } from 'ioredis';
import keySlot from 'cluster-key-slot';
import { Lane, type LaneOptions } from './lane.js';

/** Knows which node a key lives on, and holds a {@link Lane} to each. */
export interface LaneRouter {
  /** Keys with equal groups may stand in one multi-key command. */
  groupOf(key: string): number;
  /** The lane to a slot's primary; any usable lane for null, a command without keys. Null when there is none. */
  laneFor(slot: number | null): Lane | null;
  lanes(): readonly Lane[];
  dispose(): void;
}

export function createRouter(client: Redis | Cluster, options: LaneOptions): LaneRouter {
  return client instanceof Cluster ? new ClusterRouter(client, options) : new SingleRouter(client, options);
}

/** One server, or the primary behind Sentinels: everything goes one way. */
class SingleRouter implements LaneRouter {
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

  lanes(): readonly Lane[] {
    return [this.#lane];
  }

  dispose(): void {
    this.#lane.dispose();
  }
}

/** A lane per master, so that one dead master costs only its own slots. */
class ClusterRouter implements LaneRouter {
  readonly #lanes = new Map<string, Lane>();

  constructor(
    private readonly cluster: Cluster,
    private readonly options: LaneOptions,
  ) {
    cluster.on('+node', this.#add).on('-node', this.#remove).on('ready', this.#discover);
    cluster.on('error', ignore).on('node error', ignore);
    this.#discover();
  }

  groupOf(key: string): number {
    return keySlot(key);
  }

  laneFor(slot: number | null): Lane | null {
    if (slot === null) return this.lanes().find((lane) => lane.refusal === null) ?? null;
    const node = this.cluster.slots[slot]?.[0];
    return node === undefined ? null : (this.#lanes.get(node) ?? null);
  }

  lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  dispose(): void {
    this.cluster.off('+node', this.#add).off('-node', this.#remove).off('ready', this.#discover);
    for (const lane of this.#lanes.values()) lane.dispose();
    this.#lanes.clear();
  }

  readonly #discover = (): void => {
    for (const node of this.cluster.nodes('master')) this.#add(node);
  };

  readonly #add = (node: Redis): void => {
    const address = addressOf(node);
    if (this.#lanes.get(address)?.redis === node || node.options.readOnly === true) return;
    this.#lanes.get(address)?.dispose();
    this.#lanes.set(address, new Lane(node, this.options));
    // ioredis connects to a node with the first command for it and queues that command meanwhile; ours never queue.
    if (node.status === 'wait') node.connect().catch(ignore);
  };

  readonly #remove = (node: Redis): void => {
    const address = addressOf(node);
    const lane = this.#lanes.get(address);
    if (lane?.redis !== node) return;
    lane.dispose();
    this.#lanes.delete(address);
    this.options.onChange();
  };
}

/** As in ioredis's own slot table. */
function addressOf({ options }: Redis): string {
  return `${options.host ?? '127.0.0.1'}:${options.port ?? 6379}`;
}

/** What went wrong is told by the lanes' health; an event that nobody hears would be printed, or end the process. */
function ignore(): void {
  // Nothing to do.
}
