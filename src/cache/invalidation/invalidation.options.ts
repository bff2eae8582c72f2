import type { Abstract, Type } from '@nestjs/common';

/** The name of an event: a list of names where the source is an `EventEmitter2` with wildcards. */
export type InvalidationEvent = string | symbol | (string | symbol)[];

/** Anything that calls listeners when an event happens: the `EventEmitter2` of `@nestjs/event-emitter`, Node's `EventEmitter`. */
export interface InvalidationEvents {
  on(event: InvalidationEvent, listener: (...event: unknown[]) => unknown): unknown;
  off(event: InvalidationEvent, listener: (...event: unknown[]) => unknown): unknown;
}

/** The token of a provider that is a source of events; the class `EventEmitter2`, say. */
export type EventsToken = Type<InvalidationEvents> | Abstract<InvalidationEvents> | string | symbol;

/** What `@InvalidateOn` needs of `CacheModule.forRoot`. */
export interface InvalidationOptions {
  /**
   * Where the events of `@InvalidateOn` come from: an emitter, or the token of one that the application provides, such as the class
   * `EventEmitter2` of `@nestjs/event-emitter`. Needed as soon as there is a rule.
   */
  readonly events?: InvalidationEvents | EventsToken;
}
