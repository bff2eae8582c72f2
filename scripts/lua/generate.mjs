// @ts-check
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { BANNER, emitFeature } from './emit-feature.mjs';
import { LuaBuildError, LuaProblem } from './lua-problem.mjs';
import { readScript } from './read-script.mjs';

/**
 * @typedef {object} GenerateOptions
 * @property {string} root the project; paths in messages are relative to it
 * @property {string} lua the folder of `<feature>/<verb>.lua`
 * @property {string} out the folder that gets `<feature>/<feature>.scripts.gen.ts`
 * @property {string} runtime the module of `defineScript`, as a .ts file
 */

/**
 * Turns every Lua file into a typed command: all of them, or, when one is wrong, none.
 *
 * The result depends on the Lua files alone. A file is written only when its text changes, so that watchers stay calm,
 * and a generated file whose feature has no scripts any more is removed.
 *
 * @param {GenerateOptions} options paths relative to `root`
 * @returns {{ scripts: number, written: string[], removed: string[] }}
 * @throws {LuaBuildError} with a line for every problem in every file
 */
export function generate({ root, lua, out, runtime }) {
  const scripts = readScripts(root, lua);
  const wanted = new Map();
  for (const feature of new Set(scripts.map((script) => script.feature))) {
    const path = join(out, feature, `${feature}.scripts.gen.ts`);
    const mine = scripts.filter((script) => script.feature === feature);
    wanted.set(path, emitFeature(mine, importPath(path, runtime)));
  }
  return {
    scripts: scripts.length,
    written: [...wanted].filter(([path, text]) => writeWhenChanged(join(root, path), text)).map(([path]) => path),
    removed: findGenerated(root, out).filter((path) => !wanted.has(path) && removeGenerated(join(root, path))),
  };
}

/** @param {string} root @param {string} lua */
function readScripts(root, lua) {
  /** @type {string[]} */
  const complaints = [];
  const scripts = findLua(root, lua).map((path) => {
    const name = posix.relative(posix.normalize(lua), path);
    const [, feature = '', verb = ''] = /^([a-z][a-z0-9-]*)\/([a-z][a-z0-9-]*)\.lua$/.exec(name) ?? [];
    const { script, problems } = readScript({ feature, verb, text: readFileSync(join(root, path), 'utf8') });
    if (feature === '') {
      problems.unshift(new LuaProblem(1, 'the path is not <feature>/<verb>.lua', 'use lower-case words joined by "-"'));
    }
    complaints.push(...problems.map((problem) => problem.in(path)));
    return script;
  });
  if (complaints.length > 0) throw new LuaBuildError(complaints);
  return scripts;
}

/** @param {string} root @param {string} lua */
function findLua(root, lua) {
  return readdirSync(join(root, lua), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.lua'))
    .map((path) => posix.join(lua, path.split(sep).join('/')))
    .sort();
}

/** @param {string} root @param {string} out */
function findGenerated(root, out) {
  return readdirSync(join(root, out), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(root, out, name)).map((file) => join(out, name, file)))
    .filter((path) => path.endsWith('.scripts.gen.ts'));
}

/** @param {string} from @param {string} runtime */
function importPath(from, runtime) {
  const path = relative(dirname(from), runtime).split(sep).join('/').replace(/\.ts$/, '.js');
  return path.startsWith('.') ? path : `./${path}`;
}

/** @param {string} path @param {string} text */
function writeWhenChanged(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  if (readWhenPresent(path) === text) return false;
  writeFileSync(path, text);
  return true;
}

/** @param {string} path */
function removeGenerated(path) {
  if (!readWhenPresent(path)?.startsWith(BANNER)) return false;
  rmSync(path);
  return true;
}

/** @param {string} path */
function readWhenPresent(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
