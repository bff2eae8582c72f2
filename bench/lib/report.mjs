import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The installed version of a package, also of one that does not export its package.json, or is installed by another name. */
export function versionOf(name) {
  let folder = dirname(require.resolve(name));
  for (;;) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (found.name === name || folder.endsWith(join('node_modules', name))) return `${found.name} ${found.version}`;
    } catch {
      // Not here: one folder up.
    }
    const parent = dirname(folder);
    if (parent === folder) return `${name} ?`;
    folder = parent;
  }
}

/** What is measured, and on what: the server too, where there is one. */
export function header(title, packages, redis) {
  const server = redis === undefined ? [] : [`${redis.flavour} ${redis.version}`];
  console.log(`\n${title}`);
  console.log(`${[`Node ${process.versions.node}`, ...server, ...packages.map(versionOf)].join(', ')}\n`);
}

/** Rates, and how they compare with the first one. */
export function table(caption, results, floor = 'raw') {
  console.log(caption);
  for (const { name, perSecond, ratio } of results) {
    const rate = Math.round(perSecond).toLocaleString('en');
    console.log(`  ${name.padEnd(34)} ${rate.padStart(12)}/s   ${ratio.toFixed(2)} x ${floor}`);
  }
}

/** Lines of `[name, text]`, below a caption. */
export function lines(caption, rows) {
  console.log(caption);
  for (const [name, text] of rows) console.log(`  ${name.padEnd(34)} ${text}`);
}

/** Prints whether at least `wanted` was reached; a missed goal makes the process exit with 1, so that it cannot be overlooked. */
export function goal(what, reached, wanted, unit = '') {
  verdict(what, reached >= wanted, reached, `at least ${shown(wanted)}`, wanted, unit);
}

/** Prints whether `reached` is at most `most`. */
export function limit(what, reached, most, unit = '') {
  verdict(what, reached <= most, reached, `at most ${shown(most)}`, most, unit);
}

function verdict(what, met, reached, aim, wanted, unit) {
  const by = met || wanted === 0 ? '' : `, missed by ${Math.round((Math.abs(reached - wanted) / wanted) * 100)} %`;
  console.log(`  ${met ? 'met   ' : 'MISSED'} ${what}: ${shown(reached)}${unit}, goal ${aim}${unit}${by}`);
  if (!met) process.exitCode = 1;
}

const shown = (number) => (Number.isInteger(number) ? number.toLocaleString('en') : number.toFixed(2));
