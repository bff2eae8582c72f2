// npm run bench -- <claim> [--rounds N]: runs one claim of this folder against its peers on a Redis of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const claims = readdirSync(here)
  .filter((file) => file.endsWith('.bench.mjs'))
  .map((file) => file.replace('.bench.mjs', ''));
const [claim, ...args] = process.argv.slice(2);

if (!claims.includes(claim)) {
  console.error(`Which claim? One of: ${claims.join(', ')}`);
  process.exit(2);
}
if (!existsSync(`${here}node_modules`)) {
  execFileSync('npm', ['ci', '--prefix', here, '--no-audit', '--no-fund'], { stdio: 'inherit' });
}
execFileSync('npm', ['run', '--silent', 'build'], { cwd: `${here}..`, stdio: 'inherit' });
const run = spawnSync(process.execPath, [`${here}${claim}.bench.mjs`, ...args], { stdio: 'inherit' });
process.exitCode = run.status ?? 1;
