import { compare, pooled } from './compare.mjs';

/** How often the processes of a comparison are started, where nothing is said. */
const GENERATIONS = 3;

/**
 * Compares contenders that work in processes of their own: a service has one of them, and the heap and the compiled code of the others are not to weigh on it. Only
 * one of them works at a time. Their processes are started several times, since some run faster than others that do the same.
 *
 * `open(setup)` starts one and gives `{ name, rate, close }`; `loads` lists `{ concurrency, operations }`. Gives the results of each load.
 */
export async function compareApart(setups, open, loads, rounds, generations = GENERATIONS) {
  const results = loads.map(() => []);
  for (let generation = 0; generation < generations; generation++) {
    const opened = [];
    for (const setup of setups) opened.push(await open(setup));
    for (const [i, { concurrency, operations }] of loads.entries()) {
      results[i].push(await compare(opened, { rounds: Math.ceil(rounds / generations), operations, concurrency }));
    }
    for (const { close } of opened) await close();
  }
  return results.map(pooled);
}
