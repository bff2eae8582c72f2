/** The name under which a session holds it. */
export const LOAD_MARK = '#rookery';

/**
 * What a session that was read holds to be known by. `@fastify/session` makes an object of its own of what a store hands out, and says nothing of it; but it copies all
 * properties, this one too. JSON leaves it out.
 */
export class LoadMark {
  toJSON(): undefined {
    return undefined;
  }
}
