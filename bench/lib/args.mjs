import { parseArgs } from 'node:util';

/** `--rounds N` and `--quick`, which every claim takes: quick runs show that a bench works, and their figures mean little. */
export function readArgs({ rounds, quickRounds = 3 }) {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, quick: { type: 'boolean', default: false } } });
  return { quick: values.quick, rounds: Number(values.rounds ?? (values.quick ? quickRounds : rounds)) };
}
