import type { DiscoveryService } from '@nestjs/core';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { declaredRules, type DeclaredRule } from './invalidate-on.decorator.js';

/** A rule together with the object whose method it is. */
export interface FoundRule extends DeclaredRule {
  readonly instance: object;
}

/**
 * Every rule in the application. Throws `ConfigurationError` for one whose provider is made for each request or each user: no instance of it
 * is there when the event happens.
 */
export function findRules(discovery: DiscoveryService): FoundRule[] {
  const found = new Map<object, readonly DeclaredRule[]>();
  for (const provider of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const instance = provider.instance as unknown;
    if (typeof instance !== 'object' || instance === null) continue;
    const rules = declaredRules(instance);
    if (rules.length === 0) continue;
    if (!provider.isDependencyTreeStatic() || provider.isTransient) {
      throw new ConfigurationError(
        `@InvalidateOn stands in ${instance.constructor.name}, which is request-scoped or transient, or depends on such a provider. ` +
          'Move the rule into a provider of the default scope.',
      );
    }
    found.set(instance, rules);
  }
  return [...found].flatMap(([instance, rules]) => rules.map((rule) => ({ ...rule, instance })));
}
