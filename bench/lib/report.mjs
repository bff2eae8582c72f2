import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The installed version of a package, also of one that does not export its package.json. */
export function versionOf(name) {
  let folder = dirname(require.resolve(name));
  for (;;) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (found.name === name) return `${name} ${found.version}`;
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

export function table(caption, results) {
  console.log(caption);
  for (const { name, perSecond, ratio } of results) {
    const rate = Math.round(perSecond).toLocaleString('en');
    console.log(`  ${name.padEnd(28)} ${rate.padStart(10)}/s   ${ratio.toFixed(2)} x raw`);
  }
}

/** Prints whether a goal was met; a missed one makes the process exit with 1, so that it cannot be overlooked. */
export function goal(what, reached, wanted) {
  const met = reached >= wanted;
  console.log(`  ${met ? 'met   ' : 'MISSED'} ${what}: ${reached.toFixed(2)}, goal ${wanted.toFixed(2)}`);
  if (!met) process.exitCode = 1;
}
