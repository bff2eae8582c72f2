import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

import { checkHeader } from '../lua/check-header.mjs';
import { parseHeader } from '../lua/parse-header.mjs';
import { readScript } from '../lua/read-script.mjs';
import { readPage } from './blocks.mjs';
import { checkCommands } from './check-commands.mjs';
import { checkLinks } from './check-links.mjs';
import { samplesOf } from './samples.mjs';

const SCRIPT_NAME = { feature: 'docs', verb: 'sample' };

/** How each kind of block is checked. Languages that are not listed fail: a block nobody checks is a block that drifts. */
const CHECKS = {
  ts: () => [],
  json: (_, block) => checkJson(block),
  lua: (_, block) => checkLua(block),
  sh: checkCommands,
  // Shown, not checked: answers, pictures and configuration of other programs.
  text: () => [],
  http: () => [],
  yaml: () => [],
  mermaid: () => [],
  diff: () => [],
};

/**
 * Everything that can be said of one page on its own, and its samples for the compiler.
 *
 * @param {string} root the project's folder
 * @param {string} file the page's path
 */
export function checkPage(root, file) {
  const page = relative(process.cwd(), file);
  const { blocks, prose, problems } = readPage(readFileSync(file, 'utf8'));
  const inBlocks = blocks.flatMap((block) => {
    const check = CHECKS[block.language];
    const names = Object.keys(CHECKS).join(', ');
    const unknown = `a code block is "${block.language}", not one of: ${names}`;
    return check ? check(root, block) : [{ line: block.line, message: unknown }];
  });
  return {
    samples: samplesOf(page, blocks),
    problems: [...problems, ...inBlocks, ...checkLinks(file, prose)].map((problem) => ({ page, ...problem })),
  };
}

function checkJson({ lines, line }) {
  try {
    JSON.parse(textOf(lines));
    return [];
  } catch (error) {
    return [{ line, message: error.message }];
  }
}

/** A whole script is held to what the build demands; a header alone must be right in itself; the rest are excerpts. */
function checkLua({ lines, line }) {
  const text = textOf(lines);
  if (!text.startsWith('--[[')) return [];
  const { problems } = text.trimEnd().endsWith(']]') ? readHeader(text) : readScript({ ...SCRIPT_NAME, text });
  return problems.map((problem) => ({ line: line + problem.line, message: `${problem.what}. Fix: ${problem.fix}.` }));
}

function readHeader(text) {
  const { header, problems } = parseHeader(text);
  return { problems: problems.length > 0 ? problems : checkHeader(header) };
}

function textOf(lines) {
  return lines.map(({ text }) => text).join('\n');
}
