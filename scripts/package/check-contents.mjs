import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const EXPECTED =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|lua\/.+\.lua|dist\/.+\.(js|d\.ts|js\.map|d\.ts\.map))$/;
const PRIVATE = /^dist\/app\/|\.spec\./;

/**
 * The package holds what users need and nothing else.
 *
 * @param {string} root the project's folder
 * @param {string} installed the unpacked package
 * @param {{ exports: Record<string, string | { types: string, default: string }> }} manifest
 * @returns {string[]} problems
 */
export function checkContents(root, installed, manifest) {
  const files = filesIn(installed);
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  const scripts = existsSync(join(root, 'lua')) ? filesIn(join(root, 'lua')).map((file) => `lua/${file}`) : [];
  const required = ['README.md', 'LICENSE', ...targets.map((target) => target.replace('./', '')), ...scripts];
  return [
    ...required.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...files
      .filter((file) => !EXPECTED.test(file) || PRIVATE.test(file))
      .map((file) => `${file} does not belong in it`),
    ...firstFew(files.filter((file) => file.endsWith('.js')).flatMap((file) => sourceMapProblems(installed, file))),
  ];
}

/** A comment that names a map is a promise: the map is there, and it brings its sources with it. */
function sourceMapProblems(installed, file) {
  const name = /^\/\/# sourceMappingURL=(?!data:)(\S+)$/m.exec(readFileSync(join(installed, file), 'utf8'))?.[1];
  if (name === undefined) return [];
  const map = join(installed, dirname(file), name);
  if (!existsSync(map)) return [`${file} names a source map that is not in it`];
  const embedded = JSON.parse(readFileSync(map, 'utf8')).sourcesContent ?? [];
  return embedded.length > 0 ? [] : [`${file} has a source map without its sources (inlineSources)`];
}

/** A build option that is wrong is wrong in every file: enough to see which. */
export function firstFew(problems, limit = 3) {
  const rest = problems.length - limit;
  return rest > 0 ? [...problems.slice(0, limit), `... and ${rest} more like these`] : problems;
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true }).filter((file) => statSync(join(folder, file)).isFile());
}
