import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { readPage } from './blocks.mjs';
import { samplesOf, sourceOf } from './samples.mjs';

/** Every Markdown page of the project, as paths. @param {string} root */
export function pagesOf(root) {
  // Not below bench/: the packages that are installed there link back to the project.
  const folders = [list(root, '.', false), list(root, 'bench', false), list(root, 'docs', true)];
  return folders
    .flat()
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => join(root, path));
}

/** The samples marked `docs: run`, for the test that runs them (its types: pages.d.mts). @param {string} root */
export function runnableSamples(root) {
  return pagesOf(root)
    .flatMap((file) => samplesOf(relative(root, file), readPage(readFileSync(file, 'utf8')).blocks))
    .filter(({ runs }) => runs)
    .map((sample) => ({ page: sample.page, line: sample.line, source: sourceOf(sample) }));
}

function list(root, folder, recursive) {
  try {
    return readdirSync(join(root, folder), { recursive }).map((path) => join(folder, path));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
