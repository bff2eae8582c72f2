import type { Cluster, Command, Redis } from 'ioredis';
import { ConfigurationError } from '../errors/configuration.error.js';
import { RedisUnavailableError } from '../errors/redis.errors.js';
import { ScriptRunner } from '../scripts/script-runner.js';
import { BlockingConnection } from './blocking-connection.js';
import { createClient } from './client-factory.js';
import { closeClient } from './close-client.js';
import { ClusterRouter } from './cluster-router.js';
import { newConnectionCounters } from './connection-counters.js';
import { ConnectionHealth } from './connection-health.js';
import { dedicatedTarget } from './dedicated-target.js';
import { GetBatcher } from './get-batcher.js';
import { SingleRouter, type LaneRouter } from './lane-router.js';
import type { LaneOptions } from './lane.js';
import { insteadOf, plainCommand, type CommandArgument } from './plain-command.js';
import type { RedisConnectionConfig } from './redis-config.js';
import { SubscriberConnection } from './subscriber-connection.js';

export interface SendOptions {
  /** How long the caller waits, in milliseconds. Default: the connection's `deadline`. */
  readonly deadlineMs?: number;
}

/**
 * The one way from Rookery to a Redis: commands with deadlines, scripts, a subscriber and blocking connections.
 *
 * - A command settles within its deadline, whatever the server or the network does.
 * - It is sent once or not at all. While Redis is away it fails at once with `RedisUnavailableError` and nothing is queued.
 * - Commands of one tick leave in a few writes, and single reads of one tick in one MGET.
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
  readonly #blocking = new Set<BlockingConnection>();
  #subscriber: SubscriberConnection | undefined;
  #closing = false;
  #wasUp = false;

  constructor(config: RedisConnectionConfig) {
    this.#config = config;
    this.name = config.name;
    this.keyPrefix = config.keyPrefix;
    this.health = new ConnectionHealth(config.name);
    this.client = createClient(config);
    this.#router = createRouter(this.client, {
      connection: config.name,
      slowLimit: config.slowLimit,
      probeIntervalMs: config.probeIntervalMs,
      hangMs: config.hangMs,
      counters: this.counters,
      onChange: () => this.#review(),
    });
    this.#reads = new GetBatcher(
      (key) => this.#router.groupOf(key),
      (command, deadlineMs, onReply, onError) => this.#dispatch(command, deadlineMs, onReply, onError),
      this.counters,
    );
    this.scripts = new ScriptRunner(this);
    this.#review();
  }

  /** The value of a string key, or null when there is none. Reads of one tick share a round trip. */
  get(key: string, { deadlineMs = this.#config.deadlineMs }: SendOptions = {}): Promise<Buffer | null> {
    return this.#reads.get(key, deadlineMs);
  }

  /**
   * Sends one command and resolves with the raw reply: number, Buffer, null, or an array of them.
   *
   * Rejects with `RedisUnavailableError` when Redis could not do it now, and with `RedisReplyError` when it refused.
   */
  send(
    command: string,
    args: readonly CommandArgument[],
    { deadlineMs = this.#config.deadlineMs }: SendOptions = {},
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#dispatch(new Command(command, args as CommandArgument[]), deadlineMs, resolve, reject);
    });
  }

  /** The connection for subscriptions, shared by everybody and made when it is first asked for. */
  get subscriber(): SubscriberConnection {
    this.#subscriber ??= new SubscriberConnection(() => this.#dedicated(), this.#config);
    return this.#subscriber;
  }

  /** A connection of the caller's own for blocking reads; one per loop. Close it when the loop ends. */
  blocking(): BlockingConnection {
    const connection: BlockingConnection = new BlockingConnection(
      () => this.#dedicated(),
      this.#config,
      () => this.#blocking.delete(connection),
    );
    this.#blocking.add(connection);
    return connection;
  }

  /** Connects, and waits for it no longer than `connectWithin`. Returns whether the connection is up. */
  async connect(): Promise<boolean> {
    if (this.client.status === 'wait') this.client.connect().catch(ignoreSinceHealthTells);
    try {
      await this.health.untilUp({ within: `${this.#config.connectWithinMs}ms` });
      return true;
    } catch {
      return false;
    }
  }

  /** Ends every connection that Rookery made. A client that the application brought stays open. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await Promise.all([this.#subscriber?.close(), ...[...this.#blocking].map((connection) => connection.close())]);
    this.#router.dispose();
    if (!('client' in this.#config.target)) await closeClient(this.client);
    this.health.update('down', 'closed');
  }

  #dispatch(
    command: Command,
    deadlineMs: number,
    onReply: (reply: unknown) => void,
    onError: (error: Error) => void,
  ): void {
    const slot = this.client instanceof Cluster ? command.getSlot() : null;
    const lane = this.#closing ? null : this.#router.laneFor(slot);
    if (lane !== null) {
      lane.dispatch(command, deadlineMs, this.client, onReply, onError);
      return;
    }
    this.counters.refused += 1;
    const reason = this.#closing ? 'closing' : 'not-connected';
    onError(new RedisUnavailableError(reason, { connection: this.name, mayHaveRun: false }));
  }

  #dedicated(): Redis | null {
    return this.#closing ? null : createDedicated(this.#config, this.client);
  }

  #review(): void {
    // The first call comes from within the constructor of the router.
    if (this.#closing || (this.#router as LaneRouter | undefined) === undefined) return;
    const lanes = this.#router.lanes();
    const usable = lanes.filter((lane) => lane.refusal === null).length;
    const reason = lanes.find((lane) => lane.refusal !== null && lane.lastError !== undefined)?.lastError;
    if (usable > 0 && usable === lanes.length && this.#router.isComplete) {
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
