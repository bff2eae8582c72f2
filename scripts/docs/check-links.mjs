import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

import { readPage } from './blocks.mjs';

const LINK = /\[[^\]]*\]\((?<inline>[^)\s]+)[^)]*\)|^\[[^\]]+\]:\s*(?<reference>\S+)/g;
const ELSEWHERE = /^[a-z][a-z0-9+.-]*:/i;

/**
 * Every relative link leads to a file of the project, and every `#anchor` to a heading of that page.
 *
 * @param {string} file the page's path
 * @param {import('./blocks.mjs').Line[]} prose
 */
export function checkLinks(file, prose) {
  return prose.flatMap(({ text, line }) =>
    [...withoutInlineCode(text).matchAll(LINK)]
      .map(({ groups }) => groups.inline ?? groups.reference)
      .filter((link) => !ELSEWHERE.test(link))
      .map((link) => ({ line, message: brokenBecause(file, link) }))
      .filter(({ message }) => message),
  );
}

function brokenBecause(file, link) {
  const [path, anchor] = link.split('#');
  const target = path === '' ? file : resolve(dirname(file), decodeURI(path));
  if (!existsSync(target)) return `the link "${link}" leads to no file`;
  if (anchor === undefined || statSync(target).isDirectory() || !target.endsWith('.md')) return undefined;
  if (anchorsOf(target).has(anchor)) return undefined;
  return `the link "${link}" leads to no heading of ${relative(dirname(file), target) || 'this page'}`;
}

/** Anchors as GitHub makes them: lower case, punctuation dropped, spaces as hyphens, repeats numbered. */
function anchorsOf(file) {
  const anchors = new Set();
  for (const { text } of readPage(readFileSync(file, 'utf8')).prose) {
    for (const [, name] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(name);
    const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(text)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let repeat = 1; anchors.has(anchor); repeat += 1) anchor = `${slug}-${repeat}`;
    anchors.add(anchor);
  }
  return anchors;
}

function withoutInlineCode(text) {
  return text.replace(/`[^`]*`/g, '');
}
