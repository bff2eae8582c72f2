import { markPassive } from './route-metadata.js';

/** Handlers that are called without anybody's doing, such as by a page that polls: they do not put off the end of a session. */
export function PassiveSession(): ClassDecorator & MethodDecorator {
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) => {
    markPassive((descriptor?.value as object | undefined) ?? target);
  };
}
