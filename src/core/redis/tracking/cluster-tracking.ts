import type { Cluster } from 'ioredis';
import { nodeTarget } from '../clients/dedicated-target.js';
import { Heartbeat } from '../clients/heartbeat.js';
import { SILENCE_MS, type StreamState } from '../clients/stream-state.js';
import type { RedisConnectionConfig } from '../config/redis-config.js';
import { primariesWithSlots, TOPOLOGY_EVENTS } from '../lanes/cluster-nodes.js';
import type { FeedSink, FeedSource } from './feed-source.js';
import { TrackingLink } from './tracking-link.js';

/** How often the cluster is asked who owns slots, in milliseconds. */
const ROLL_CALL_MS = 1_000;

/** What a cluster is listened to with. */
export interface ClusterTrackingOptions {
  readonly cluster: Cluster;
  readonly config: RedisConnectionConfig;
  readonly prefix: string;
  readonly sink: FeedSink;
  /** Asks any node for CLUSTER SLOTS, within the given time. */
  readonly slots: (deadlineMs: number) => Promise<unknown>;
}

/**
 * What all primaries of a cluster tell of changes under a prefix: live while every one that owns slots is heard.
 *
 * A process that answers from its memory sends no commands, and so meets no MOVED: nobody would tell it of a primary that has taken over. So
 * the cluster is asked once a second who owns slots, and each of those must be among the nodes that are heard, told apart by their
 * ids, which no address translation changes.
 */
export class ClusterTracking implements FeedSource {
  readonly #links = new Map<string, TrackingLink>();
  readonly #rollCall: Heartbeat;
  #owners: ReadonlySet<string> = new Set();
  #inDoubt = false;
  #state: StreamState = 'lost';
  #closed = false;

  constructor(private readonly options: ClusterTrackingOptions) {
    this.#rollCall = new Heartbeat({
      everyMs: ROLL_CALL_MS,
      limitMs: SILENCE_MS,
      ask: () => this.#callTheRoll(),
      onDoubt: () => this.#doubt(true),
      onProof: () => this.#doubt(false),
      onSilence: () => undefined,
    });
    for (const event of TOPOLOGY_EVENTS) options.cluster.on(event, this.#reconcile);
    this.#reconcile();
    this.#rollCall.start();
  }

  close(): void {
    this.#closed = true;
    this.#rollCall.stop();
    for (const event of TOPOLOGY_EVENTS) this.options.cluster.off(event, this.#reconcile);
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  readonly #reconcile = (): void => {
    const addresses = primariesWithSlots(this.options.cluster);
    for (const [address, link] of this.#links) {
      if (addresses.has(address)) continue;
      link.close();
      this.#links.delete(address);
    }
    for (const address of addresses) {
      if (!this.#links.has(address)) this.#links.set(address, this.#listenTo(address));
    }
    // The first roll call may have come before the connection, and the application's start waits for the answer.
    if (this.#owners.size === 0) this.#callTheRoll().catch(ignoreSinceItIsAskedAgain);
    this.#review();
  };

  #listenTo(address: string): TrackingLink {
    const { cluster, config, prefix, sink } = this.options;
    return new TrackingLink({
      target: nodeTarget(cluster, address),
      config,
      prefix,
      hasId: true,
      sink: {
        changed: (keys) => sink.changed(keys),
        missed: () => sink.missed(),
        refused: (error) => sink.refused(error),
        update: () => this.#review(),
      },
    });
  }

  async #callTheRoll(): Promise<void> {
    const owners = ownersIn(await this.options.slots(SILENCE_MS));
    if (this.#closed) return;
    const before = this.#owners;
    this.#owners = owners;
    this.#review();
    if (before.size > 0 && !sameSet(before, owners)) this.options.sink.missed();
    // Also after every change of the roll: the links follow what the cluster client knows, and it may not know yet.
    if (this.#state === 'lost') this.options.cluster.refreshSlotsCache();
  }

  #doubt(inDoubt: boolean): void {
    this.#inDoubt = inDoubt;
    this.#review();
  }

  #review(): void {
    const state = this.#stateNow();
    if (this.#closed || state === this.#state) return;
    this.#state = state;
    this.options.sink.update(state);
  }

  #stateNow(): StreamState {
    const links = [...this.#links.values()];
    const heard = new Set(links.map(({ nodeId }) => nodeId));
    if (this.#owners.size === 0 || ![...this.#owners].every((id) => heard.has(id))) return 'lost';
    if (links.some(({ state }) => state === 'lost')) return 'lost';
    return this.#inDoubt || links.some(({ state }) => state === 'doubtful') ? 'doubtful' : 'live';
  }
}

/** The ids of the primaries in a reply to CLUSTER SLOTS: per range of slots the first, the last, and then who serves it, the primary first. */
function ownersIn(slots: unknown): Set<string> {
  const ranges = slots as [first: number, last: number, primary: [host: Buffer, port: number, id: Buffer]][];
  return new Set(ranges.map(([, , [, , id]]) => String(id)));
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((member) => other.has(member));
}

function ignoreSinceItIsAskedAgain(): void {
  // Within a second, and as long as there is no answer the feed is not live.
}
