import { Inject, Injectable, Optional, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { RedisConnection } from '../core/redis/redis-connection.js';
import { RedisConnections } from '../core/redis/redis-connections.js';
import { publishCounters } from '../core/telemetry/publish-counters.js';
import { CLOCK, systemClock, type Cancel, type Clock } from '../core/time/clock.js';
import { KnownTokens, type KnownToken } from './cookie/known-tokens.js';
import { SessionCookie } from './cookie/session-cookie.js';
import { Signer } from './cookie/signer.js';
import { Devices } from './engine/device.js';
import { RedisSessions } from './engine/redis-sessions.js';
import { SessionEnds } from './engine/session-ends.js';
import { SessionKeySpace } from './engine/session-keys.js';
import type { SessionRecord } from './engine/session-record.js';
import { OriginPolicy } from './http/origin-policy.js';
import { resolveSessionConfig, type SessionConfig } from './session-config.js';
import { newSessionCounters } from './session-counters.js';
import { SESSION_OPTIONS } from './session.module-definition.js';
import type { SessionModuleOptions } from './session.options.js';
import { SessionHandle, StoredSession, type SessionCarrier, type AnyAttributes, type SessionParts } from './session.js';

/** What sessions stand on, once per application. */
@Injectable()
export class SessionRuntime implements SessionParts, OnModuleInit, BeforeApplicationShutdown {
  readonly config: SessionConfig;
  readonly counters = newSessionCounters();
  readonly connection: RedisConnection;
  readonly keys: SessionKeySpace;
  readonly redis: RedisSessions;
  readonly signer: Signer;
  readonly tokens: KnownTokens;
  readonly cookie: SessionCookie;
  readonly devices: Devices;
  readonly origins: OriginPolicy;
  readonly ends: SessionEnds | null;
  readonly #cancels: Cancel[] = [];

  constructor(
    @Inject(SESSION_OPTIONS) options: SessionModuleOptions,
    connections: RedisConnections,
    @Optional() @Inject(CLOCK) clock: Clock = systemClock,
  ) {
    this.config = resolveSessionConfig(options);
    this.devices = new Devices(options.device);
    this.origins = new OriginPolicy(options.trustedOrigins ?? []);
    this.connection = connections.get(options.connection);
    this.keys = new SessionKeySpace(this.connection);
    this.redis = new RedisSessions(this.connection, this.keys, clock, this.config);
    const { cookie, secrets, ends, deadlineMs } = this.config;
    this.signer = new Signer(secrets, cookie.name);
    this.tokens = new KnownTokens(this.signer, this.keys);
    this.cookie = new SessionCookie(cookie, this.signer, this.tokens);
    this.ends =
      ends === null ? null : new SessionEnds(this.connection, this.keys, clock, this.counters, ends, deadlineMs);
  }

  onModuleInit(): void {
    this.#cancels.push(publishCounters('session', {}, this.counters));
  }

  /** The session of a token, or a new one where there is none. */
  open<Attributes extends object = AnyAttributes>(
    token: KnownToken | null,
    isUse: boolean,
    carrier: SessionCarrier,
  ): Promise<SessionHandle<Attributes>> {
    if (token === null) return Promise.resolve(this.begin(carrier));
    return this.redis
      .load(token, isUse)
      .then((record) => this.#handle<Attributes>(token, record, carrier) ?? this.begin(carrier));
  }

  /** The session of a token, or null where there is none. */
  find<Attributes extends object>(
    token: KnownToken,
    isUse: boolean,
    carrier: SessionCarrier,
  ): Promise<SessionHandle<Attributes> | null> {
    return this.redis.load(token, isUse).then((record) => this.#handle(token, record, carrier));
  }

  /** A new session, of which there is nothing in Redis yet. */
  begin<Attributes extends object>(carrier: SessionCarrier): SessionHandle<Attributes> {
    return new SessionHandle(this, carrier, null, new Map());
  }

  #handle<Attributes extends object>(
    { place, id }: KnownToken,
    record: SessionRecord | null,
    carrier: SessionCarrier,
  ): SessionHandle<Attributes> | null {
    this.counters[record === null ? 'unknown' : 'loaded'] += 1;
    if (record === null) return null;
    const stored = new StoredSession(place, id, record, record.origin ?? place.digest);
    return new SessionHandle(this, carrier, stored, record.attributes);
  }

  /** Listeners under way may end, before the connections do. */
  async beforeApplicationShutdown(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    await this.ends?.close();
  }
}
