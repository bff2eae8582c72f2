/**
 * Runs every check, two at a time, also when one has failed: a contributor sees all that is wrong at once.
 *
 *   npm run check               all
 *   npm run check -- lint docs  some
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { scripts } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
const prefix = 'check:';
// The long ones first, so that none of them is left to run alone at the end.
const long = ['check:lint', 'check:package', 'check:types', 'check:format'];
const rest = Object.keys(scripts).filter((name) => name.startsWith(prefix) && !long.includes(name));
const all = [...long, ...rest];
const named = process.argv.slice(2).map((name) => prefix + name);
for (const name of named.filter((each) => !all.includes(each))) {
  console.error(`There is no ${name}. There are: ${all.join(', ')}.`);
  process.exit(2);
}

/** Runs one, and prints what it said when it has ended, so that two do not talk at once. */
async function run(name) {
  const started = performance.now();
  const child = spawn('npm', ['run', '--silent', name], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  const status = await new Promise((done) => child.on('close', done));
  console.log(`\n== ${name} `.padEnd(80, '='));
  process.stdout.write(Buffer.concat(said));
  return { name, passed: status === 0, seconds: ((performance.now() - started) / 1000).toFixed(1) };
}

// The others need what it makes.
const results = [await run('generate')];
const waiting = named.length > 0 ? named : all;
async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) results.push(await run(name));
}
await Promise.all([work(), work()]);

console.log(`\n== summary `.padEnd(80, '='));
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)} ${seconds.padStart(5)} s`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
