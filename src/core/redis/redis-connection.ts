import type { Cluster, Command, Redis } from 'ioredis';
import { ConfigurationError } from '../errors/configuration.error.js';
import { RedisUnavailableError } from '../errors/redis.errors.js';
import { ScriptRunner } from '../scripts/script-runner.js';
import { BlockingConnection } from './clients/blocking-connection.js';
import { createClient } from './clients/client-factory.js';
import { closeClient } from './clients/close-client.js';
import { ClusterRouter } from './lanes/cluster-router.js';
import { newConnectionCounters } from './connection-counters.js';
import { ConnectionHealth } from './connection-health.js';
import { dedicatedTarget, type DedicatedTarget } from './clients/dedicated-target.js';
import { GetBatcher } from './lanes/get-batcher.js';
import { scanKeys, type ScanOptions } from './lanes/key-scan.js';
import { SingleRouter, type LaneRouter } from './lanes/lane-router.js';
import type { Lane, LaneOptions } from './lanes/lane.js';
import { insteadOf, plainCommand, type CommandArgument } from './lanes/plain-command.js';
import type { RedisConnectionConfig } from './config/redis-config.js';
import { ChangeFeeds } from './tracking/change-feeds.js';
import type { ChangeFeed } from './tracking/change-feed.js';
import { SubscriberConnection } from './clients/subscriber-connection.js';

export type { CommandArgument, ScanOptions };

/** How one command is sent. */
export interface SendOptions {
  /** How long the caller waits, in milliseconds, 1 to 2,147,483,647. Default: the connection's `deadline`. */
  readonly deadlineMs?: number;
}

/**
 * The one way from Rookery to a Redis: commands with deadlines, scripts, a subscriber and blocking connections.
 *
 * - A command settles within its deadline, whatever the server or the network does.
 * - It is sent once or not at all, on connections that Rookery makes; a client brought along resends as its own options say. While Redis is away a command
 *   fails at once with `RedisUnavailableError` and nothing is queued.
 * - Commands of one turn of the event loop leave in a few writes, and single reads of one turn in a few MGETs.
 *
 * Inject it with `@InjectRedis()`.
 */
export class RedisConnection {
  readonly name: string;
  /** First segment of every key on this connection. */
  readonly keyPrefix: string;
  readonly health: ConnectionHealth;
  readonly scripts: ScriptRunner;
  readonly counters = newConnectionCounters();
  /** The ioredis client beneath, for what is not wrapped here. Its commands have no deadline and no circuit breaker. */
  readonly client: Redis | Cluster;

  readonly #config: RedisConnectionConfig;
  readonly #router: LaneRouter;
  readonly #reads: GetBatcher;
  readonly #feeds: ChangeFeeds;
  readonly #blocking = new Set<BlockingConnection>();
  #subscriber: SubscriberConnection | undefined;
  #closing = false;
  #ended: Promise<void> | undefined;
  #wasUp = false;

  constructor(config: RedisConnectionConfig) {
    this.#config = config;
    this.name = config.name;
    this.keyPrefix = config.keyPrefix;
    this.health = new ConnectionHealth(config.name);
    this.client = createClient(config);
    this.#router = this.#createRouter(config);
    this.#reads = new GetBatcher(
      (key) => this.#router.groupOf(key),
      (command, deadlineMs, onReply, onError) => this.#dispatch(command, deadlineMs, onReply, onError),
      this.counters,
    );
    this.scripts = new ScriptRunner(this);
    this.#feeds = new ChangeFeeds({
      config,
      client: this.client,
      subscriber: () => this.subscriber,
      send: (command, args, deadlineMs) => this.send(command, args, { deadlineMs }),
    });
    this.#review();
  }

  /** The value of a string key, or null when there is none. Reads of one turn of the event loop share round trips. */
  get(key: string, { deadlineMs = this.#config.deadlineMs }: SendOptions = {}): Promise<Buffer | null> {
    return this.#reads.get(key, deadlineMs);
  }

  /**
   * Sends one command and resolves with the raw reply as RESP2 has it: number, Buffer, null, or an array of them.
   *
   * Rejects with `RedisUnavailableError` when Redis could not do it now, and with `RedisReplyError` when it refused. Commands that would change the
   * connection for everybody, or hold everybody up (SUBSCRIBE, MULTI, BLPOP), reject with `ConfigurationError`.
   */
  send(
    command: string,
    args: readonly CommandArgument[],
    { deadlineMs = this.#config.deadlineMs }: SendOptions = {},
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const plain = plainCommand(command, args);
      const instead = insteadOf(plain);
      if (instead === null) this.#dispatch(plain, deadlineMs, resolve, reject);
      else reject(new ConfigurationError(`${command} is not for a connection that is shared: use ${instead} instead.`));
    });
  }

  /** Keys with equal groups may stand in one command of many keys: on a cluster those of one slot, elsewhere all. */
  groupOf(key: string): number {
    return this.#router.groupOf(key);
  }

  /**
   * The keys that match a glob pattern, on every primary, by SCAN and in batches as they come; batches without a match are left out. A key that is there from
   * beginning to end comes at least once, and may come twice; one that moves to another node of a cluster meanwhile may be missed.
   *
   * Rejects with `RedisUnavailableError` when a primary is out of reach, or was replaced or restarted while it was scanned, since a
   * scan that left keys out would look just like a complete one. Stop early by leaving the loop.
   */
  scan(
    pattern: string,
    { count = 500, signal, deadlineMs = this.#config.deadlineMs }: ScanOptions = {},
  ): AsyncIterable<string[]> {
    if (!(Number.isInteger(count) && count >= 1 && count <= 100_000)) {
      throw new RangeError(`count must be a whole number from 1 to 100,000; it is ${count}.`);
    }
    const lanes = (): readonly Lane[] => {
      const all = this.#closing ? null : this.#router.everyLane();
      if (all === null) throw this.#unreachable();
      return all;
    };
    return scanKeys({ lanes, connection: this.name, pattern, count, deadlineMs, signal });
  }

  /** The connection for subscriptions, shared by everybody and made when it is first asked for. */
  get subscriber(): SubscriberConnection {
    if (this.#subscriber === undefined) {
      this.#subscriber = new SubscriberConnection(this.#target(null), this.#config);
      if (this.#closing) this.#subscriber.close();
    }
    return this.#subscriber;
  }

  /**
   * A connection of the caller's own for commands that block on `key` (on a cluster: on keys of its slot, since the connection leads to
   * the slot's primary). One per loop; close it when the loop ends.
   */
  blocking(key: string): BlockingConnection {
    const connection: BlockingConnection = new BlockingConnection(this.#target(key), this.#config, () =>
      this.#blocking.delete(connection),
    );
    this.#blocking.add(connection);
    if (this.#closing) connection.close();
    return connection;
  }

  /**
   * What changes under a prefix, which stands for itself and is no pattern: the feed of everybody who asks for that prefix, over a connection to each primary
   * that is made when it is first asked for. Close the feed when it is not needed any more.
   */
  changes(prefix: string): ChangeFeed {
    return this.#feeds.of(prefix);
  }

  /** Connects, and waits for every node no longer than `connectWithin`. Returns whether commands can be sent, were it to some nodes only. */
  async connect(): Promise<boolean> {
    if (this.client.status === 'wait') this.client.connect().catch(ignoreSinceHealthTells);
    await this.health.untilUp({ within: `${this.#config.connectWithinMs}ms` }).catch(ignoreSinceHealthTells);
    return this.health.status.state === 'up' || this.health.status.state === 'degraded';
  }

  /**
   * Ends every connection that Rookery made, within about a second; a client that the application brought stays open. Commands under way
   * settle, and later ones reject with reason `closing`.
   */
  async close(): Promise<void> {
    this.#closing = true;
    this.#ended ??= this.#end();
    await this.#ended;
  }

  async #end(): Promise<void> {
    this.#feeds.close();
    this.#subscriber?.close();
    for (const connection of this.#blocking) connection.close();
    this.#router.dispose();
    this.health.update('down', 'closed');
    if (!('client' in this.#config.target)) await closeClient(this.client);
  }

  #createRouter(config: RedisConnectionConfig): LaneRouter {
    const options: LaneOptions = {
      connection: config.name,
      deadlineMs: config.deadlineMs,
      slowLimit: config.slowLimit,
      probeIntervalMs: config.probeIntervalMs,
      hangMs: config.hangMs,
      replaceable: !('client' in config.target),
      counters: this.counters,
      onChange: () => this.#review(),
    };
    return this.client.isCluster
      ? new ClusterRouter(this.client as Cluster, options)
      : new SingleRouter(this.client as Redis, options);
  }

  #dispatch(
    command: Command,
    deadlineMs: number,
    onReply: (reply: unknown) => void,
    onError: (error: Error) => void,
  ): void {
    const slot = this.client.isCluster ? command.getSlot() : null;
    const lane = this.#closing ? null : this.#router.laneFor(slot);
    if (lane !== null) {
      // A command without a key goes where the lane goes; the cluster client would choose a node of its own.
      lane.dispatch(command, deadlineMs, slot === null ? lane.redis : this.client, onReply, onError);
      return;
    }
    this.counters.refused += 1;
    onError(this.#unreachable());
  }

  #unreachable(): RedisUnavailableError {
    const reason = this.#closing ? 'closing' : 'not-connected';
    return new RedisUnavailableError(reason, { connection: this.name, mayHaveRun: false });
  }

  #target(key: string | null): DedicatedTarget {
    return dedicatedTarget(this.#config, this.client, key);
  }

  #review(): void {
    // The first call comes from within the constructor of the router.
    if (this.#closing || (this.#router as LaneRouter | undefined) === undefined) return;
    const { total, usable, reason } = this.#router.coverage();
    if (total > 0 && usable === total) {
      this.#wasUp = true;
      this.health.update('up', undefined);
    } else if (!this.#wasUp && reason === undefined) {
      this.health.update('connecting', undefined);
    } else {
      this.health.update(usable > 0 ? 'degraded' : 'down', reason);
    }
  }
}

function ignoreSinceHealthTells(): void {
  // The failure shows in `health`, and the client goes on trying.
}
