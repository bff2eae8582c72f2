import type { Cluster } from 'ioredis';
import keySlot from 'cluster-key-slot';
import { addressOf, primariesWithSlots, TOPOLOGY_EVENTS } from './cluster-nodes.js';
import { describeError } from './describe-error.js';
import type { Coverage, LaneRouter } from './lane-router.js';
import { Lane, type LaneOptions } from './lane.js';

/** How often the cluster is asked who owns which slots, while one of the owners is out of reach. */
const REFRESH_MS = 250;

/**
 * A lane per primary of a cluster, so that a dead one costs only its own slots.
 *
 * While all is well, MOVED replies tell of changes. A command for a node that is out of reach is never sent, and so brings no such reply: then the
 * router asks by itself, until every slot has an owner that can be used.
 */
export class ClusterRouter implements LaneRouter {
  readonly #lanes = new Map<string, Lane>();
  readonly #laneOptions: LaneOptions;
  #refresh: NodeJS.Timeout | undefined;
  #lastError: string | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: LaneOptions,
  ) {
    this.#laneOptions = { ...options, onChange: () => this.#changed() };
    for (const event of TOPOLOGY_EVENTS) cluster.on(event, this.#reconcile);
    for (const event of ERROR_EVENTS) cluster.on(event, this.#onError);
    this.#reconcile();
  }

  groupOf(key: string): number {
    return keySlot(key);
  }

  laneFor(slot: number | null): Lane | null {
    if (this.cluster.status !== 'ready') return null;
    if (slot === null) return [...this.#lanes.values()].find((lane) => lane.refusal === null) ?? null;
    const owner = this.cluster.slots[slot]?.[0];
    return owner === undefined ? null : (this.#lanes.get(owner) ?? null);
  }

  everyLane(): readonly Lane[] | null {
    const owners = [...primariesWithSlots(this.cluster)];
    const lanes = owners.flatMap((owner) => this.#lanes.get(owner) ?? []);
    return this.cluster.status === 'ready' && owners.length > 0 && lanes.length === owners.length ? lanes : null;
  }

  coverage(): Coverage {
    const owners = primariesWithSlots(this.cluster);
    const isReady = this.cluster.status === 'ready';
    let usable = 0;
    let reason: string | undefined;
    for (const owner of owners) {
      const lane = this.#lanes.get(owner);
      if (isReady && lane?.refusal === null) usable += 1;
      else reason ??= lane?.lastError;
    }
    return { total: owners.size, usable, reason: reason ?? this.#lastError };
  }

  dispose(): void {
    clearInterval(this.#refresh);
    for (const event of TOPOLOGY_EVENTS) this.cluster.off(event, this.#reconcile);
    for (const event of ERROR_EVENTS) this.cluster.off(event, this.#onError);
    for (const lane of this.#lanes.values()) lane.dispose();
    this.#lanes.clear();
  }

  /** ioredis keeps the list of nodes, and changes a node's role without a word; so the whole list is compared each time. */
  readonly #reconcile = (): void => {
    const primaries = new Map(this.cluster.nodes('master').map((node) => [addressOf(node), node]));
    for (const [address, lane] of this.#lanes) {
      if (primaries.get(address) === lane.redis) continue;
      lane.dispose();
      this.#lanes.delete(address);
    }
    for (const [address, node] of primaries) {
      if (!this.#lanes.has(address)) this.#lanes.set(address, new Lane(node, this.#laneOptions));
      // ioredis connects to a node with the first command for it and queues that command meanwhile; ours never queue.
      if (node.status === 'wait') node.connect().catch(ignoreSinceEventsTell);
    }
    this.#changed();
  };

  readonly #onError = (error: Error): void => {
    this.#lastError = describeError(error) ?? this.#lastError ?? 'no node answers';
    this.options.onChange();
  };

  #changed(): void {
    const { total, usable } = this.coverage();
    if (usable === total) {
      clearInterval(this.#refresh);
      this.#refresh = undefined;
      if (total > 0) this.#lastError = undefined;
    } else {
      this.#refresh ??= setInterval(() => this.#askWhoOwnsWhat(), REFRESH_MS).unref();
    }
    this.options.onChange();
  }

  #askWhoOwnsWhat(): void {
    if (this.cluster.status === 'ready') this.cluster.refreshSlotsCache();
  }
}

/** An 'error' that nobody hears would be printed, or end the process. */
const ERROR_EVENTS = ['error', 'node error'] as const;

function ignoreSinceEventsTell(): void {
  // The node's own events say what became of it.
}
