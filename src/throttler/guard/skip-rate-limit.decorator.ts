import { addRule } from './route-metadata.js';

/**
 * Takes policies off a route, or off all routes of a controller: those that are named, or all. What stands on the route itself goes before its controller,
 * and that before the module: a route may have `@RateLimit` although its controller skips.
 *
 * @throws {ConfigurationError} at boot for a name that applies nowhere
 */
export function SkipRateLimit(...policies: readonly string[]): ClassDecorator & MethodDecorator {
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) =>
    addRule((descriptor?.value ?? target) as object, { skip: policies.length === 0 ? 'all' : policies });
}
