/**
 * A sample is what the compiler sees: a code block with its set-up, and the blocks that continue it.
 *
 * @typedef {import('./blocks.mjs').Block} Block
 * @typedef {import('./blocks.mjs').Line} Line
 * @typedef {{ page: string, line: number, lines: Line[], runs: boolean }} Sample
 */

/**
 * @param {string} page where the blocks come from, for messages
 * @param {Block[]} blocks
 * @returns {Sample[]}
 */
export function samplesOf(page, blocks) {
  const samples = [];
  for (const block of blocks.filter(({ language }) => language === 'ts')) {
    const lines = [...block.setup, ...block.lines];
    const runs = block.directives.includes('run');
    const continued = block.directives.includes('continues') ? samples.at(-1) : undefined;
    if (continued) {
      continued.lines.push(...lines);
      continued.runs ||= runs;
    } else {
      samples.push({ page, line: block.line, lines, runs });
    }
  }
  return samples;
}

/** @param {Sample} sample */
export function sourceOf(sample) {
  return sample.lines.map(({ text }) => text).join('\n') + '\n';
}
