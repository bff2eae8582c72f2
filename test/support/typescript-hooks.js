import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const transpiled = new URL('.cache/typescript/', root);
const swcVersion = JSON.parse(readFileSync(new URL('node_modules/@swc/core/package.json', root), 'utf8')).version;

const options = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

/** Sources import each other as the build will name them: `./clock.js` is `./clock.ts` here. */
export async function resolve(specifier, context, next) {
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  return { format: 'module', source: await transpile(filename, await readFile(filename, 'utf8')), shortCircuit: true };
}

/** The run starts dozens of processes that load the same files: the first one transpiles them, and the others need no compiler at all. */
async function transpile(filename, source) {
  const key = [swcVersion, JSON.stringify(options), filename, source];
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex');
  const kept = new URL(`${name}.js`, transpiled);
  try {
    return await readFile(kept, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { transform } = await import('@swc/core');
  const { code } = await transform(source, { ...options, filename });
  // In one step, so that a process that is killed meanwhile leaves no half of a file.
  const unfinished = new URL(`${name}.${process.pid}.tmp`, transpiled);
  await mkdir(transpiled, { recursive: true });
  await writeFile(unfinished, code);
  await rename(unfinished, kept);
  return code;
}
