/**
 * Checks what npm users will get, on the packed tarball itself: what is in it, its manifest (publint), its types
 * (are-the-types-wrong), and that each entry loads, by `import` and by `require()`, in a project that holds nothing
 * but the package and what it declares.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import { checkContents, firstFew } from './package/check-contents.mjs';
import { checkEntries } from './package/check-entries.mjs';
import { install, pack } from './package/pack.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = Object.entries(manifest.exports)
  .filter(([, target]) => target.types)
  .map(([entry]) => manifest.name + entry.slice(1));

// Outside of the project, where no import can find a package by climbing up to the project's node_modules.
const work = mkdtempSync(join(tmpdir(), 'rookery-package-'));
try {
  const { tarball, buildErrors } = pack(root, work);
  const { consumer, installed } = install(root, work, tarball, manifest);
  const passed = [
    report('build', firstFew(buildErrors, 10)),
    report('contents', checkContents(root, installed, manifest)),
    report('manifest (publint)', await manifestProblems(installed)),
    report('types as users resolve them (are-the-types-wrong)', typeProblems(tarball)),
    report('entries load by import and by require', checkEntries(consumer, entries)),
  ];
  process.exitCode = passed.every(Boolean) ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

function report(what, problems) {
  console.log(problems.length === 0 ? `ok    ${what}` : [`FAIL  ${what}`, ...problems].join('\n      '));
  return problems.length === 0;
}

async function manifestProblems(pkgDir) {
  const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
  return messages.map((message) => formatMessage(message, pkg, { color: false }));
}

function typeProblems(tarball) {
  const cli = join(dirname(fileURLToPath(import.meta.resolve('@arethetypeswrong/cli/package.json'))), 'dist/index.js');
  const options = ['--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, tarball, ...options], { encoding: 'utf8' });
  return status === 0 ? [] : `${stdout}\n${stderr}`.trim().split('\n');
}
