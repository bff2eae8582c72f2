/** What a connection counts, as plain fields: the hot path pays one addition. Everything counts up for ever. */
export interface ConnectionCounters {
  /** Commands sent, an MGET that serves many reads counting once. */
  commands: number;
  /** Reads that shared an MGET with others. */
  readsBatched: number;
  /** Commands that were not tried because the server was known to be away. */
  refused: number;
  /** Commands whose reply did not come in time. */
  deadlinesMissed: number;
  /** How often a server was found silent or slow. */
  circuitOpened: number;
  /** Connections made: 1 per node at the start, more with each reconnection. */
  connects: number;
}

/** All at zero. */
export const newConnectionCounters = (): ConnectionCounters => ({
  commands: 0,
  readsBatched: 0,
  refused: 0,
  deadlinesMissed: 0,
  circuitOpened: 0,
  connects: 0,
});
