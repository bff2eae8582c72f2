import { RedisUnavailableError, type UnavailableReason } from '../../errors/redis.errors.js';
import type { Lane } from './lane.js';
import { plainCommand } from './plain-command.js';

/** How a scan goes about it. */
export interface ScanOptions {
  /** How many keys the server looks at in one trip, whether they match or not: 1 to 100,000. Default 500, which holds others up for well under a millisecond. */
  readonly count?: number;
  /** Ends the scan between two trips: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long each trip may take, in milliseconds. Default: the connection's `deadline`. */
  readonly deadlineMs?: number;
}

/** What one scan holds on to. */
interface Scan {
  /** One to every primary. Throws while there is none to some. */
  readonly lanes: () => readonly Lane[];
  readonly connection: string;
  readonly pattern: string;
  readonly count: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The keys that match, from one primary after the other, in the batches that SCAN hands out. Rejects with `RedisUnavailableError` when one of
 * the primaries is out of reach, or is not the one any more that the scan began on.
 */
export async function* scanKeys(scan: Scan): AsyncGenerator<string[], void, undefined> {
  scan.signal?.throwIfAborted();
  for (const lane of scan.lanes()) yield* scanLane(scan, lane);
}

async function* scanLane(scan: Scan, lane: Lane): AsyncGenerator<string[], void, undefined> {
  const socket = lane.redis.stream;
  let cursor = '0';
  do {
    const [next, keys] = await nextPage(scan, lane, cursor);
    scan.signal?.throwIfAborted();
    // A cursor means nothing to another server, nor to the same one after a restart: going on with it would skip keys without a word.
    if (lane.redis.stream !== socket) throw unavailable(scan, 'connection-lost');
    if (!scan.lanes().includes(lane)) throw unavailable(scan, 'server-not-ready');
    if (keys.length > 0) yield keys.map(String);
    cursor = next.toString();
  } while (cursor !== '0');
}

function nextPage({ pattern, count, deadlineMs }: Scan, lane: Lane, cursor: string): Promise<[Buffer, Buffer[]]> {
  const command = plainCommand('scan', [cursor, 'MATCH', pattern, 'COUNT', count]);
  return new Promise((resolve, reject) => {
    lane.dispatch(command, deadlineMs, lane.redis, (reply) => resolve(reply as [Buffer, Buffer[]]), reject);
  });
}

function unavailable({ connection }: Scan, reason: UnavailableReason): RedisUnavailableError {
  return new RedisUnavailableError(reason, { connection, mayHaveRun: false });
}
