import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import { Arena, chooseFaults, type Fault } from '../../support/lock-processes/arena.js';
import { doubleHolders, staleWrites, wrongFences } from '../../support/lock-processes/history.js';
import type { LockProcess } from '../../support/lock-processes/lock-process.js';
import { Spares } from '../../support/lock-processes/spares.js';

/*
 * Real processes work under locks while one fault comes after the other: their holder stands still until its lease has ended, or is killed; Redis stands still; the network
 * does, or breaks every connection. They write to a sink that looks at fences, and never look themselves whether they still have the lock. All that they did is then held against
 * what locks promise, by a checker that knows nothing of how they are made.
 *
 * `SEED=<n>` repeats the choices of a run. `ROUNDS=<n>` makes so many rounds of it, about 23 a second on a quiet machine:
 * `ROUNDS=10000 npm test -- --selectProjects integration --testPathPatterns faults/lock/rounds`
 */

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const ROUNDS = Number(process.env.ROUNDS ?? 200);
const ARENAS = 3;
const PROCESSES = 3;
const TTL_MS = [40, 100] as const;
/** Whoever waits looks by himself after six seconds at most. */
const MOST_STUCK_MS = 7_500;
/** Of so many rounds, one may be healed by that: several who are gone at once, of a holder and those who wait, leave nobody who was told. */
const ROUNDS_OF_ONE_HEALED = 1_000;
const HOLD_MS = [20, 60] as const;

const spares = new Spares();
/** Those that nobody uses. */
const idle: LockProcess[] = [];

beforeAll(async () => {
  idle.push(...(await spares.start(ARENAS * PROCESSES)));
  spares.prepare();
}, 120_000);
afterAll(() => spares.close());
expectNoLeakedConnections();

describe(`Locks, in ${ROUNDS} rounds of faults`, () => {
  it(
    `never let a late write through, never have two holders, and are always taken again (SEED=${SEED})`,
    async () => {
      const startedMs = performance.now();
      const arenas: Arena[] = [];
      const processes = idle.splice(0);
      const rounds = Math.ceil(ROUNDS / ARENAS);
      const share = (part: number): number => Math.max(1, Math.round(rounds * part));
      try {
        const run = async (i: number): Promise<void> => {
          const seed = SEED + 1_000_000 * i;
          const own = processes.slice(i * PROCESSES, (i + 1) * PROCESSES);
          const rest = { by: 'rookery', rule: 'fenced', ttlMs: TTL_MS, holdMs: HOLD_MS } as const;
          const arena = await Arena.start({ seed, spares, processes: own, ...rest });
          arenas.push(arena);
          const faults = chooseFaults(seededRandom(seed), rounds, {
            'kill-holder': share(0.015),
            'stop-redis': share(0.06),
            'freeze-network': share(0.06),
            'cut-connections': share(0.15),
          });
          await arena.run(faults);
          idle.push(...(await arena.stop()));
        };
        const runs = Array.from({ length: ARENAS }, (_, i) => run(i));
        await Promise.allSettled(runs);
        await Promise.all(runs);
      } finally {
        report(arenas, performance.now() - startedMs);
        for (const arena of arenas) await arena[Symbol.asyncDispose]();
      }
      for (const { sink, reports, tallies } of arenas) {
        const claims = [...sink.claims.values()];
        expect(sink.failures).toEqual([]);
        expect(reports.flatMap(({ wrong }) => wrong)).toEqual([]);
        expect(staleWrites(sink.writes)).toEqual([]);
        expect(wrongFences(claims)).toEqual([]);
        expect(doubleHolders(claims)).toEqual([]);
        expect(Math.max(...[...tallies.values()].map(({ longestMs }) => longestMs))).toBeLessThan(MOST_STUCK_MS);
        const healed = [...tallies.values()].reduce((sum, one) => sum + one.healed, 0);
        expect(healed).toBeLessThanOrEqual(Math.ceil(ROUNDS / ROUNDS_OF_ONE_HEALED));
        // Without the fence they would have come through: there was something to keep out.
        expect(staleWrites(sink.writes.map(({ claim }) => ({ claim, isAccepted: true }))).length).toBeGreaterThan(0);
        expect(reports.reduce((sum, { losses }) => sum + losses, 0)).toBeGreaterThan(0);
      }
    },
    150_000 + 450 * ROUNDS,
  );

  it('are not what the recipe of many articles makes: it has two holders, and lets late writes through', async () => {
    const own = idle.length >= PROCESSES ? idle.splice(0, PROCESSES) : await spares.start(PROCESSES);
    await using arena = await Arena.start({
      seed: SEED,
      spares,
      processes: own,
      by: 'recipe',
      rule: 'unfenced',
      ttlMs: TTL_MS,
      holdMs: HOLD_MS,
    });
    await arena.run(Array.from({ length: 10 }, (): Fault => 'stop-holder'));
    await arena.stop();
    expect(arena.sink.failures).toEqual([]);
    const claims = [...arena.sink.claims.values()];
    const [stale, double] = [staleWrites(arena.sink.writes).length, doubleHolders(claims).length];
    console.log(`the recipe, of ${claims.length} claims: ${stale} stale writes, ${double} double holders`);
    expect(stale).toBeGreaterThan(0);
    expect(double).toBeGreaterThan(0);
  });
});

function report(arenas: readonly Arena[], tookMs: number): void {
  const sum = (of: (arena: Arena) => number): number => arenas.reduce((all, arena) => all + of(arena), 0);
  const kinds = new Set(arenas.flatMap(({ tallies }) => [...tallies.keys()]));
  const lines = [...kinds].map((fault) => {
    const tallies = arenas.flatMap(({ tallies }) => tallies.get(fault) ?? []);
    const longestMs = Math.round(Math.max(...tallies.map((tally) => tally.longestMs)));
    const healed = tallies.reduce((all, one) => all + one.healed, 0);
    return `${fault}: ${tallies.reduce((all, { rounds }) => all + rounds, 0)} rounds, taken again within ${longestMs} ms, ${healed} by a look of their own`;
  });
  const losses = sum(({ reports }) => reports.reduce((all, one) => all + one.losses, 0));
  const inTime = sum(({ reports }) => reports.reduce((all, one) => all + one.inTime, 0));
  const rejected = sum(({ sink }) => sink.writes.filter(({ isAccepted }) => !isAccepted).length);
  const kept = sum(({ sink }) => staleWrites(sink.writes.map(({ claim }) => ({ claim, isAccepted: true }))).length);
  console.log(
    [
      `seed ${SEED}: ${Math.round(tookMs / 1_000)} s`,
      ...lines,
      `${sum(({ sink }) => sink.claims.size)} grants, ${sum(({ sink }) => sink.writes.length)} writes, ${rejected} refused`,
      `stale writes: ${sum(({ sink }) => staleWrites(sink.writes).length)}; without the fence ${kept}`,
      `most locks hit by one fault: ${Math.max(...arenas.map(({ mostHit }) => mostHit))}`,
      `signals watched: ${losses}, of which ${inTime} in time by the clock, the others as soon as the process ran`,
    ].join('\n'),
  );
}
