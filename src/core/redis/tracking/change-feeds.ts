import type { Cluster, Redis } from 'ioredis';
import { dedicatedTarget } from '../clients/dedicated-target.js';
import type { SubscriberConnection } from '../clients/subscriber-connection.js';
import type { RedisConnectionConfig } from '../config/redis-config.js';
import type { CommandArgument } from '../lanes/plain-command.js';
import { busChannel, ChangeBus, encodeAnnouncement } from './change-bus.js';
import type { ChangeFeed, FeedKind } from './change-feed.js';
import { ClusterTracking } from './cluster-tracking.js';
import { FeedShare } from './feed-share.js';
import type { FeedSink, FeedSource } from './feed-source.js';
import { SharedFeed } from './shared-feed.js';
import { TrackingLink } from './tracking-link.js';

/** What the feeds use of the connection that they belong to. */
export interface ChangeFeedsOptions {
  readonly config: RedisConnectionConfig;
  readonly client: Redis | Cluster;
  readonly subscriber: () => SubscriberConnection;
  readonly send: (command: string, args: readonly CommandArgument[], deadlineMs: number) => Promise<unknown>;
}

interface Used {
  readonly feed: SharedFeed;
  users: number;
}

/** The feeds of one connection: one per prefix, open as long as somebody uses it. */
export class ChangeFeeds {
  readonly #used = new Map<string, Used>();
  #closed = false;

  constructor(private readonly options: ChangeFeedsOptions) {}

  of(prefix: string): ChangeFeed {
    const used = this.#used.get(prefix) ?? { feed: this.#open(prefix), users: 0 };
    used.users += 1;
    this.#used.set(prefix, used);
    const { config, send } = this.options;
    return new FeedShare(used.feed, {
      connection: config.name,
      publish: async (keys) => {
        await send('PUBLISH', [busChannel(prefix), encodeAnnouncement(keys)], config.deadlineMs);
      },
      onClose: () => this.#release(prefix, used),
    });
  }

  close(): void {
    this.#closed = true;
    for (const { feed } of this.#used.values()) feed.close();
  }

  #release(prefix: string, used: Used): void {
    used.users -= 1;
    if (used.users > 0) return;
    this.#used.delete(prefix);
    used.feed.close();
  }

  #open(prefix: string): SharedFeed {
    const connection = this.options.config.name;
    const feed = new SharedFeed({ connection, open: (kind, sink) => this.#source(kind, prefix, sink) });
    if (this.#closed) feed.close();
    return feed;
  }

  #source(kind: FeedKind, prefix: string, sink: FeedSink): FeedSource {
    const { config, client, subscriber, send } = this.options;
    if (kind === 'bus') return new ChangeBus(subscriber(), prefix, sink);
    if (client.isCluster) {
      const slots = (deadlineMs: number): Promise<unknown> => send('CLUSTER', ['SLOTS'], deadlineMs);
      return new ClusterTracking({ cluster: client as Cluster, config, prefix, sink, slots });
    }
    const target = dedicatedTarget(config, client, null);
    return new TrackingLink({ target, config, prefix, sink, hasId: false });
  }
}
