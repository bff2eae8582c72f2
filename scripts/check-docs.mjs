/**
 * Tests the pages: TypeScript samples compile against the real types, JSON and Lua headers parse, shell lines name
 * scripts that exist, and links lead somewhere. How to write samples: CONTRIBUTING.md, "Docs are tested".
 *
 *   node scripts/check-docs.mjs               every page of the project
 *   node scripts/check-docs.mjs docs/lock.md  some pages
 */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { checkPage } from './docs/check-page.mjs';
import { compileSamples } from './docs/compile-samples.mjs';
import { pagesOf } from './docs/pages.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const named = process.argv.slice(2).map((file) => resolve(file));
const pages = (named.length > 0 ? named : pagesOf(root)).map((file) => checkPage(root, file));

const samples = pages.flatMap((page) => page.samples);
const problems = [...pages.flatMap((page) => page.problems), ...compileSamples(root, samples)];
problems.sort((a, b) => a.page.localeCompare(b.page) || a.line - b.line);

for (const { page, line, message } of problems) console.error(`${page}:${line}: error ${message}`);
console.log(`${pages.length} pages, ${samples.length} TypeScript samples, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
