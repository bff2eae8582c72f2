import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Cache, GetOrSetOptions } from '../../../src/cache/index.js';
import { CacheLoadError } from '../../../src/cache/cache.errors.js';
import { seededRandom } from '../seeded-random.js';
import { OwnStandstills } from '../standstills.js';
import type { Change, Read } from './history.js';
import { nowUs } from '../job-process.js';
import type { WorkloadResult, WorkloadSettings } from './protocol.js';
import { RunningLoads } from './running-loads.js';
import type { Source } from './source.js';

interface Versioned {
  readonly name: string;
  readonly version: number;
}

/**
 * How the entries of a key are invalidated. `owned` keys are set, by one process alone and one change after the other, since only then do writes have an order;
 * `written` ones are written through, deleted and invalidated, by everybody.
 */
const KINDS = ['plain', 'tagged', 'derived', 'segment', 'owned', 'written'] as const;
type Kind = (typeof KINDS)[number];
const KEYS_PER_KIND = 6;
const GROUPS = 2;

/** One key of the workload. */
interface Place {
  readonly kind: Kind;
  readonly n: number;
  readonly name: string;
  /** Of those that share a tag or a segment. */
  readonly group: string;
}

const PLACES: readonly Place[] = KINDS.flatMap((kind) =>
  Array.from({ length: KEYS_PER_KIND }, (_, n) => ({ kind, n, name: `${kind}-${n}`, group: `group-${n % GROUPS}` })),
);

/** How long after the last eviction was deferred some may still wait. */
const DEGRADED_US = 3_000_000;

class LoaderFailed extends Error {}

/** Random reads and changes of one process, and all that was seen of them. */
export class Workload {
  readonly #reads: Read[] = [];
  readonly #changes: Change[] = [];
  readonly #unexpected: string[] = [];
  readonly #running = new RunningLoads();
  readonly #changing = new Set<string>();
  #failures = 0;
  #operations = 0;
  #deferred = 0;
  #deferredUs = -Infinity;

  constructor(
    private readonly cache: Cache,
    private readonly source: Source,
    private readonly settings: WorkloadSettings,
  ) {}

  async run(): Promise<WorkloadResult> {
    const { seed, workers, process, operations } = this.settings;
    const work = async (worker: number): Promise<void> => {
      const random = seededRandom(seed * 1_000 + process * 100 + worker);
      for (let i = worker; i < operations; i += workers) await this.#operate(random);
    };
    using standstills = new OwnStandstills();
    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
    return {
      reads: this.#reads,
      changes: this.#changes,
      operations: this.#operations,
      failures: this.#failures,
      standstills: standstills.seen,
      unexpected: this.#unexpected,
      counters: { ...this.cache.counters },
    };
  }

  /** Every key once, as a caller would. */
  async readAll(): Promise<readonly Read[]> {
    const never = (): number => 0.5;
    for (const place of PLACES) await this.#getOrSet([place], never);
    return this.#reads;
  }

  async #operate(random: () => number): Promise<void> {
    this.#operations += 1;
    const place = PLACES[Math.floor(random() * PLACES.length)] as Place;
    const { process, processes } = this.settings;
    const mayChange = place.kind !== 'owned' || (place.n % processes === process && !this.#changing.has(place.name));
    try {
      if (random() < 0.15 && mayChange) await this.#change(place, random);
      else await this.#read(place, random);
    } catch (error) {
      if (error instanceof LoaderFailed || error instanceof CacheLoadError) this.#failures += 1;
      else this.#unexpected.push(String((error as Error).stack ?? error));
    }
    if (random() < 0.3) await sleep(random() * 8);
  }

  async #read(place: Place, random: () => number): Promise<void> {
    // What has reached this process by now is heard first: it is the cache that is tested, not how busy the machine is.
    await nextTurn();
    const style = random();
    const others = PLACES.filter((other) => other.kind === place.kind && other.group === place.group);
    if (style < 0.7) await this.#getOrSet([place], random);
    else if (style < 0.85) await this.#getOrSet(others, random);
    else await this.#get(style < 0.93 ? [place] : others);
  }

  async #get(places: readonly Place[]): Promise<void> {
    await this.#watched(places, () => this.#viewOf(places[0] as Place).getMany(places.map(({ name }) => name)));
  }

  async #getOrSet(places: readonly Place[], random: () => number): Promise<void> {
    const [first] = places as readonly [Place];
    const view = this.#viewOf(first);
    const options = optionsOf(first, random);
    const load = this.#loader(random);
    await this.#watched(places, async () =>
      places.length === 1
        ? [await view.getOrSet(first.name, async () => (await load([first.name]))[0], options)]
        : view.getOrSetMany(
            places.map(({ name }) => name),
            load,
            options,
          ),
    );
  }

  /** As long as an eviction is deferred, its entry is loaded without asking Redis. */
  #noteDeferred(): void {
    const { evictionsDeferred } = this.cache.counters;
    if (evictionsDeferred > this.#deferred) this.#deferredUs = nowUs();
    this.#deferred = evictionsDeferred;
  }

  /** Notes what a read gave, and when it began. */
  async #watched(places: readonly Place[], read: () => Promise<readonly unknown[]>): Promise<void> {
    const beganUs = nowUs();
    const { readsWithoutRedis } = this.cache.counters;
    const loadsBeganUs = places.map(({ name }) => this.#running.oldestUs(name, beganUs));
    const values = await read();
    this.#noteDeferred();
    const isDegraded =
      this.cache.counters.readsWithoutRedis > readsWithoutRedis || nowUs() - this.#deferredUs < DEGRADED_US;
    places.forEach(({ name }, i) => {
      const value = values[i] as Versioned | undefined;
      if (value === undefined) return;
      if (value.name !== name) this.#unexpected.push(`${name} was given what belongs to ${value.name}`);
      const sinceUs = isDegraded ? (loadsBeganUs[i] as number) : beganUs;
      this.#reads.push({ process: this.settings.process, key: name, version: value.version, beganUs, sinceUs });
    });
  }

  /** Takes its time before it reads the source, or after, so that what it brings is old already. */
  #loader(random: () => number): (names: readonly string[]) => Promise<readonly Versioned[]> {
    const [before, after] = [random() < 0.3 ? random() * 30 : 0, random() < 0.5 ? random() * 30 : 0];
    const fails = random() < 0.03;
    return (names) =>
      this.#running.run(names, async () => {
        if (before > 0) await sleep(before);
        const versions = await Promise.all(names.map((name) => this.source.read(name)));
        if (after > 0) await sleep(after);
        if (fails) throw new LoaderFailed('as it should');
        return names.map((name, i) => ({ name, version: versions[i] as number }));
      });
  }

  async #change(place: Place, random: () => number): Promise<void> {
    if (place.kind === 'written' && random() < 0.7) await this.#writeThrough(place, random);
    else await this.#changeThenTell(place, random);
    await this.#getOrSet([place], random);
  }

  async #writeThrough(place: Place, random: () => number): Promise<void> {
    const { name } = place;
    const [before, after] = [random() * 10, random() * 10];
    const write = async (): Promise<Versioned> => {
      await sleep(before);
      const [version] = await this.source.change([name]);
      await sleep(after);
      return { name, version: version as number };
    };
    const { evictionsDeferred } = this.cache.counters;
    const { version } = await this.cache.writeThrough<Versioned>(name, write, optionsOf(place, random));
    // It does not say whether Redis was told.
    this.#note([name], [version], this.cache.counters.evictionsDeferred === evictionsDeferred);
  }

  async #changeThenTell(place: Place, random: () => number): Promise<void> {
    const { kind, n, group } = place;
    const hasTag = kind === 'tagged' || kind === 'derived' || kind === 'segment' || (kind === 'written' && n % 2 === 0);
    const byTag = hasTag && random() < 0.6;
    const together =
      byTag && (kind === 'tagged' || kind === 'segment')
        ? PLACES.filter((p) => p.kind === kind && p.group === group)
        : [place];
    const names = together.map(({ name }) => name);
    for (const name of names) this.#changing.add(name);
    try {
      const versions = await this.source.change(names);
      const told = byTag ? this.#invalidate(place) : this.#replace(place, versions[0] as number, random);
      this.#note(names, versions, await told);
    } finally {
      for (const name of names) this.#changing.delete(name);
    }
  }

  #note(names: readonly string[], versions: readonly number[], confirmed: boolean): void {
    const endedUs = nowUs();
    const { process } = this.settings;
    names.forEach((key, i) => this.#changes.push({ process, key, version: versions[i] as number, endedUs, confirmed }));
  }

  #invalidate({ kind, name, group }: Place): Promise<boolean> {
    if (kind === 'segment') return this.cache.invalidateSegment(group);
    return this.cache.invalidateTags([kind === 'derived' || kind === 'written' ? ['of', name] : group]);
  }

  #replace(place: Place, version: number, random: () => number): Promise<boolean> {
    const { kind, name } = place;
    const view = this.#viewOf(place);
    if (kind !== 'owned' || random() < 0.3) return view.delete(name);
    return view.set(name, { name, version }, optionsOf(place, random));
  }

  #viewOf({ kind, group }: Place): Cache {
    return kind === 'segment' ? this.cache.segment(group) : this.cache;
  }
}

const TTLS = ['60ms', '500ms', '1m'] as const;

function optionsOf(place: Place, random: () => number): GetOrSetOptions {
  const refresh = random();
  return {
    ttl: TTLS[Math.floor(random() * TTLS.length)] ?? '1m',
    backoff: '10ms',
    ...(refresh < 0.3 ? { eagerRefresh: 0.1 } : {}),
    ...(refresh > 0.7 ? { staleWhileRevalidate: '300ms', failSafe: '500ms', throttle: '50ms' } : {}),
    ...tagsOf(place),
  };
}

function tagsOf({ kind, n, group }: Place): Pick<GetOrSetOptions, 'tags'> {
  const derived = (value: unknown): readonly (readonly [string, string | number])[] => {
    const { name, version } = value as Versioned;
    return [
      ['of', name],
      ['version', version % 3],
    ];
  };
  if (kind === 'tagged') return { tags: [group, 'all'] };
  if (
    kind === 'derived' ||
    (kind === 'segment' && n % 2 === 0) ||
    ((kind === 'owned' || kind === 'written') && n % 2 === 0)
  )
    return { tags: derived };
  return {};
}
