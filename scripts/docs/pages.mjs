import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { readPage } from './blocks.mjs';
import { samplesOf, sourceOf } from './samples.mjs';

const NOT_PAGES = /(^|\/)(node_modules|dist|coverage|\.[^/]+)\//;

/** Every Markdown page of the project, as paths. @param {string} root */
export function pagesOf(root) {
  const atTop = readdirSync(root).filter((name) => name.endsWith('.md'));
  const below = ['docs', 'bench']
    .flatMap((folder) => list(root, folder))
    .filter((path) => path.endsWith('.md') && !NOT_PAGES.test(path));
  return [...atTop, ...below].sort().map((path) => join(root, path));
}

/** The samples marked `docs: run`, for the test that runs them (its types: pages.d.mts). @param {string} root */
export function runnableSamples(root) {
  return pagesOf(root)
    .flatMap((file) => samplesOf(relative(root, file), readPage(readFileSync(file, 'utf8')).blocks))
    .filter(({ runs }) => runs)
    .map((sample) => ({ page: sample.page, line: sample.line, source: sourceOf(sample) }));
}

function list(root, folder) {
  try {
    return readdirSync(join(root, folder), { recursive: true }).map((path) => `${folder}/${path}`);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
