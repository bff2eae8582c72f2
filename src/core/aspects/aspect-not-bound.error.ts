import { RookeryError } from '../errors/rookery-error.js';

/**
 * A decorated method was called on an object that Nest did not build, so there is no provider to do the decorator's work. It is
 * thrown rather than passed through: a lock that does not lock must not look as if it did.
 */
export class AspectNotBoundError extends RookeryError {
  readonly code = 'ROOKERY_ASPECT_NOT_BOUND';

  constructor(
    decorator: string,
    method: { readonly declaringClass: { readonly name: string }; readonly name: string },
    module: string,
  ) {
    const where = `${method.declaringClass.name}.${method.name}`;
    super(
      `@${decorator} on ${where} has nothing to work with: this object was not built by Nest. ` +
        `Inject ${method.declaringClass.name} instead of calling 'new', and import ${module}.`,
      { context: { decorator, method: where } },
    );
  }
}
