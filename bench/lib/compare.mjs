import { median } from './stats.mjs';

/**
 * A contender is `{ name, run(worker, i) }`, or `{ name, rate(operations, concurrency) }` where it runs in a process of its own, and `operations` where it is too
 * slow for as many as the others; the first one is the floor.
 *
 * Compares contenders in interleaved rounds: each round runs every one of them, in random order, and a contender's ratio is taken
 * against the floor of the same round. So a machine whose speed drifts slows all of them alike.
 */
export async function compare(contenders, { rounds, operations, concurrency }) {
  const [floor] = contenders;
  const rates = new Map(contenders.map(({ name }) => [name, []]));
  const ratios = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    const measured = new Map();
    for (const contender of shuffled(contenders)) {
      const { name, run, rate = (...load) => rateOf(run, ...load) } = contender;
      measured.set(name, await rate(contender.operations ?? operations, concurrency));
    }
    if (round < 0) continue; // The first round warms everything up.
    for (const { name } of contenders) {
      rates.get(name).push(measured.get(name));
      ratios.get(name).push(measured.get(name) / measured.get(floor.name));
    }
  }
  return contenders.map(({ name }) => summary(name, rates.get(name), ratios.get(name)));
}

/** Several comparisons of the same contenders as one. */
export function pooled(comparisons) {
  return comparisons[0].map(({ name }, i) => {
    const all = comparisons.map((results) => results[i]);
    return summary(
      name,
      all.flatMap(({ rates }) => rates),
      all.flatMap(({ ratios }) => ratios),
    );
  });
}

function summary(name, rates, ratios) {
  return { name, rates, ratios, perSecond: median(rates), ratio: median(ratios) };
}

/** The same in a random order. */
export function shuffled(list) {
  return list
    .map((item) => [Math.random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** Operations a second. */
export async function rateOf(run, operations, concurrency) {
  const each = Math.ceil(operations / concurrency);
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async (_, worker) => {
      for (let i = 0; i < each; i++) await run(worker, i);
    }),
  );
  return (each * concurrency * 1_000) / (performance.now() - startedMs);
}
