import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache, GetOrSetOptions } from '../../../src/cache/index.js';
import { OwnTime } from '../own-time.js';
import { nowUs } from '../job-process.js';
import type { StampedeKind, StampedeResult, StampedeSettings } from './protocol.js';
import type { Source } from './source.js';

/** The value that every caller of the key is to be given. */
export function valueOf(kind: StampedeKind, key: string): unknown {
  return kind === 'null' ? null : { key, tag: key };
}

/** Tags of the kind's entries. */
function optionsOf(kind: StampedeKind, key: string): GetOrSetOptions {
  if (kind === 'static tag') return { ttl: '1m', tags: [key] };
  if (kind === 'derived tag') return { ttl: '1m', tags: (value) => [(value as { readonly tag: string }).tag] };
  return { ttl: '1m' };
}

/** Runs the callers of one process. */
export async function runStampede(
  cache: Cache,
  source: Source,
  settings: StampedeSettings,
  onHang: () => void,
): Promise<StampedeResult> {
  const { key, kind, callers, loadMs, atUs, fails, hangs } = settings;
  const load = async (): Promise<unknown> => {
    await source.noteLoad(key);
    if (hangs === true) {
      onHang();
      await new Promise(() => undefined);
    }
    await sleep(loadMs);
    if (fails === true) throw new Error('the source is broken');
    return valueOf(kind, key);
  };
  const options = optionsOf(kind, key);
  const call = async (): Promise<unknown> => {
    if (kind !== 'batch') return cache.getOrSet(key, load, options);
    const [value] = await cache.getOrSetMany([key], async (keys) => Promise.all(keys.map(load)), options);
    return value;
  };
  await sleep(Math.max(0, (atUs - nowUs()) / 1_000));
  const outcomes: Record<string, number> = {};
  let slowestMs = 0;
  using own = new OwnTime();
  const one = async (): Promise<void> => {
    const startedMs = own.ms;
    const outcome = await call().then(JSON.stringify, (error: unknown) => (error as Error).constructor.name);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    slowestMs = Math.max(slowestMs, own.ms - startedMs);
  };
  await Promise.all(Array.from({ length: callers }, one));
  return { outcomes, slowestMs };
}
