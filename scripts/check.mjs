/**
 * Runs every check, one after the other, also when one has failed: a contributor sees all that is wrong at once.
 *
 *   npm run check               all
 *   npm run check -- lint docs  some
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { scripts } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
const prefix = 'check:';
const all = Object.keys(scripts).filter((name) => name.startsWith(prefix));
const named = process.argv.slice(2).map((name) => prefix + name);
for (const name of named.filter((each) => !all.includes(each))) {
  console.error(`There is no ${name}. There are: ${all.join(', ')}.`);
  process.exit(2);
}

const results = ['generate', ...(named.length > 0 ? named : all)].map((name) => {
  console.log(`\n== ${name} `.padEnd(80, '='));
  const started = performance.now();
  const { status } = spawnSync('npm', ['run', '--silent', name], { cwd: root, stdio: 'inherit' });
  return { name, passed: status === 0, seconds: ((performance.now() - started) / 1000).toFixed(1) };
});

console.log(`\n== summary `.padEnd(80, '='));
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)} ${seconds.padStart(5)} s`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
