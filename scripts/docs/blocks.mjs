/**
 * Reads the fenced code blocks of a Markdown page, with the directives written in HTML comments before them:
 *
 *   <!-- docs: run -->        the sample is executed by the tests, too
 *   <!-- docs: continues -->  the sample goes on where the one before it on the page stopped
 *   <!-- docs: setup          code that the sample needs and the reader does not
 *   declare const cache: CacheService;
 *   -->
 */

const DIRECTIVE = /^\s*<!--\s*docs:\s*(?<words>[a-z ]+?)\s*(?<closed>-->)?\s*$/;
const FENCE = /^(?<indent>\s*)(?<ticks>`{3,})(?<language>[^\s`]*)/;
const KNOWN_DIRECTIVES = ['run', 'continues', 'setup'];

/**
 * @typedef {{ text: string, line: number }} Line
 * @typedef {{ language: string, line: number, lines: Line[], setup: Line[], directives: string[] }} Block
 * @typedef {{ line: number, message: string }} Problem
 */

/**
 * @param {string} markdown
 * @returns {{ blocks: Block[], prose: Line[], problems: Problem[] }} prose is every line outside of blocks and directives
 */
export function readPage(markdown) {
  const source = markdown.split('\n').map((text, index) => ({ text, line: index + 1 }));
  const page = { blocks: [], prose: [], problems: [] };
  let directives = [];
  let setup = [];

  while (source.length > 0) {
    const current = source.shift();
    const directive = DIRECTIVE.exec(current.text)?.groups;
    const fence = FENCE.exec(current.text)?.groups;
    if (directive) {
      const words = directive.words.split(' ');
      for (const word of words.filter((word) => !KNOWN_DIRECTIVES.includes(word))) {
        page.problems.push({ line: current.line, message: `unknown directive "docs: ${word}"` });
      }
      directives.push(...words);
      if (!directive.closed) setup.push(...takeUntil(source, ({ text }) => text.trim() === '-->'));
    } else if (fence) {
      const end = new RegExp(`^\\s*${fence.ticks}\`*\\s*$`);
      const lines = takeUntil(source, ({ text }) => end.test(text)).map(({ text, line }) => ({
        text: text.startsWith(fence.indent) ? text.slice(fence.indent.length) : text,
        line,
      }));
      page.blocks.push({ language: fence.language, line: current.line, lines, setup, directives });
      directives = [];
      setup = [];
    } else {
      page.prose.push(current);
      if (current.text.trim() === '' || directives.length === 0) continue;
      page.problems.push({ line: current.line, message: 'a docs directive must stand directly before its code block' });
      directives = [];
      setup = [];
    }
  }
  return page;
}

/** Takes lines off the front up to the closing line, which is dropped. */
function takeUntil(source, closes) {
  const end = source.findIndex(closes);
  const taken = source.splice(0, end === -1 ? source.length : end);
  source.shift();
  return taken;
}
