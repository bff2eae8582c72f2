import type { ModuleRef } from '@nestjs/core';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { EventsToken, InvalidationEvents, InvalidationOptions } from './invalidation.options.js';

/** Where the events come from. Throws `ConfigurationError` that says what to do. */
export function resolveEvents({ events }: InvalidationOptions, modules: ModuleRef): InvalidationEvents {
  const source = typeof events === 'object' ? events : provided(events, modules);
  if (typeof source?.on === 'function' && typeof source.off === 'function') return source;
  throw new ConfigurationError("CacheModule: 'events' has to be an emitter with on() and off(), or the token of one.");
}

function provided(token: EventsToken | undefined, modules: ModuleRef): InvalidationEvents {
  if (token === undefined) {
    throw new ConfigurationError(
      'There are methods with @InvalidateOn, but nothing brings them events. Name the source: CacheModule.forRoot({ events: EventEmitter2 }), ' +
        'with EventEmitterModule.forRoot() of @nestjs/event-emitter imported too, or any object with on() and off().',
    );
  }
  try {
    return modules.get<InvalidationEvents>(token, { strict: false });
  } catch (cause) {
    const name = typeof token === 'function' ? token.name : String(token);
    throw new ConfigurationError(
      `CacheModule: no module provides ${name}, which 'events' names. Import the module that does; for EventEmitter2 that is EventEmitterModule.forRoot().`,
      { cause },
    );
  }
}
