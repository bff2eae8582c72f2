/** One piece of work that several callers wait for. */
export interface Flight<Value> {
  readonly result: Promise<Value>;
  /** False once the key was written or deleted: what was loaded before must not be stored after. */
  readonly isCurrent: boolean;
  /** The work is done, and on its way to where others look for it. Until `stored` settles, later callers are given `value`. */
  deliver(value: Value, stored: Promise<unknown>): void;
}

/**
 * Lets concurrent callers of one key share one piece of work: its value, and its failure. Callers that arrive after
 * {@link forget} start anew.
 */
export class SingleFlight<Value> {
  readonly #flights = new Map<string, SharedFlight<Value>>();

  /** Joins the flight for `key`, or starts one. */
  run(key: string, work: (flight: Flight<Value>) => Promise<Value>): Promise<Value> {
    const running = this.#flights.get(key);
    if (running !== undefined) return running.delivery === undefined ? running.result : running.delivery.result;
    const flight = new SharedFlight(work);
    this.#flights.set(key, flight);
    const land = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      flight.release();
    };
    const { result } = flight;
    result.then(() => (flight.delivery === undefined ? land() : flight.delivery.stored.then(land, land)), land);
    return result;
  }

  /** A value that is still on its way to where others look for it. */
  delivered(key: string): { readonly value: Value } | undefined {
    return this.#flights.size === 0 ? undefined : this.#flights.get(key)?.delivery;
  }

  /** The key has changed: those who wait get what they waited for, and nobody else joins them. */
  forget(key: string): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.isCurrent = false;
    this.#flights.delete(key);
  }
}

interface Delivery<Value> {
  readonly value: Value;
  readonly result: Promise<Value>;
  readonly stored: Promise<unknown>;
}

class SharedFlight<Value> implements Flight<Value> {
  result: Promise<Value>;
  isCurrent = true;
  delivery: Delivery<Value> | undefined;

  constructor(work: (flight: Flight<Value>) => Promise<Value>) {
    this.result = work(this);
  }

  deliver(value: Value, stored: Promise<unknown>): void {
    this.delivery = { value, result: Promise.resolve(value), stored };
  }

  /**
   * Lets go of the value. A Map whose entries come and go is rebuilt now and then, and its old forms stay linked to the new one
   * until a full collection: they would keep every value that was in flight meanwhile.
   */
  release(): void {
    this.result = RELEASED;
    this.delivery = undefined;
  }
}

const RELEASED = new Promise<never>(() => undefined);
