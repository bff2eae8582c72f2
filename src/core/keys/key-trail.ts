import { KeyEncodingError } from './key-encoding.error.js';

/** Deeper values are refused: no sensible key nests so far, and recursion has to end before the stack does. */
const MAX_DEPTH = 64;

const NAME = /^[A-Za-z_$][\w$]{0,39}$/;

/** The way from the list of parts down to the value at hand: it finds cycles, and says in errors where a value stands. */
export class KeyTrail {
  /** Which child is being encoded: a position, or the name of a property. */
  at: number | string = 0;

  private constructor(
    private readonly container?: object,
    private readonly parent?: KeyTrail,
    private readonly depth = 0,
  ) {}

  static start(): KeyTrail {
    return new KeyTrail();
  }

  /** One level down, into `container`. */
  enter(container: object): KeyTrail {
    for (let trail: KeyTrail | undefined = this; trail !== undefined; trail = trail.parent) {
      if (trail.container === container) throw this.refuse('it contains itself', 'Give a key function.');
    }
    if (this.depth === MAX_DEPTH) {
      throw this.refuse(`it is nested more than ${MAX_DEPTH} levels deep`, 'Give a key function.');
    }
    return new KeyTrail(container, this, this.depth + 1);
  }

  /** The error for the container of this trail. */
  refuseContainer(reason: string, fix: string): KeyEncodingError {
    return (this.parent ?? this).refuse(reason, fix);
  }

  /** The error for the child at hand. */
  refuse(reason: string, fix: string): KeyEncodingError {
    return new KeyEncodingError(this.path(), reason, fix);
  }

  private path(): string {
    if (this.parent === undefined) return `Part ${Number(this.at) + 1}`;
    return `${this.parent.path()}${this.segment()}`;
  }

  /** A property named like an identifier is shown; anything else may be data, such as an e-mail address. */
  private segment(): string {
    if (typeof this.at === 'number') return `[${this.at}]`;
    return NAME.test(this.at) ? `.${this.at}` : '.<property>';
  }
}
