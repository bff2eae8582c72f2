// @ts-check
import { LuaProblem } from './lua-problem.mjs';
import { parseReplyType } from './parse-type.mjs';

/**
 * A key or an argument, as the header declares it.
 * @typedef {object} Parameter
 * @property {'KEYS' | 'ARGV'} table
 * @property {number} index its place in KEYS or ARGV, from 1; of a tail, the place of the tail's first value
 * @property {string} name
 * @property {string[]} types one type; of a tail of tuples, the types of one tuple
 * @property {boolean} variadic a tail: this place and every later one
 * @property {boolean} tuple the tail is made of tuples
 * @property {string} description
 * @property {number} line
 *
 * @typedef {object} Header
 * @property {string} summary paragraphs, joined by blank lines
 * @property {Parameter[]} keys
 * @property {Parameter[]} args
 * @property {{ shape: import('./parse-type.mjs').ReplyShape, description: string, line: number } | undefined} reply
 */

const MISSPELT = /^(KEY|ARG|ARGS|RETURN|RETURNS|REPLIES)\b/;
/** @type {readonly string[]} */
const SECTIONS = ['KEYS', 'ARGV', 'REPLY'];

/**
 * Reads the block comment at the top of a script. Whether what it says makes sense is for `checkHeader`.
 *
 * @param {string} source the whole file, with \n line ends
 * @returns {{ header: Header, problems: LuaProblem[] }}
 */
export function parseHeader(source) {
  const reader = new HeaderReader();
  const comment = /^--\[(=*)\[([\s\S]*?)\]\1\]/.exec(source);
  if (comment === null) {
    reader.report(1, 'the script does not begin with a header', 'open the file with a --[[ ... ]] comment');
  } else {
    (comment[2] ?? '').split('\n').forEach((text, offset) => reader.readLine(text, offset + 1));
  }
  return { header: reader.header(), problems: reader.problems };
}

class HeaderReader {
  /** @type {LuaProblem[]} */
  problems = [];
  /** @type {string[]} */
  #summary = [];
  /** @type {Parameter[]} */
  #parameters = [];
  /** @type {Header['reply']} */
  #reply;
  /** The declaration that a deeper line continues. @type {{ target: { description: string }, indent: number } | undefined} */
  #open;
  #section = 0;

  /** @param {number} line @param {string} what @param {string} fix */
  report(line, what, fix) {
    this.problems.push(new LuaProblem(line, what, fix));
  }

  /** @param {string} raw @param {number} line */
  readLine(raw, line) {
    const text = raw.trim();
    const indent = raw.length - raw.trimStart().length;
    const [word = ''] = text.split(/\s/, 1);
    if (SECTIONS.includes(word)) this.#declare(word, text.slice(word.length).trim(), indent, line);
    else if (MISSPELT.test(text)) this.report(line, `"${word}" is not a header word`, 'write KEYS, ARGV or REPLY');
    else if (this.#open === undefined) this.#summary.push(text);
    else if (text !== '' && indent > this.#open.indent) this.#continue(this.#open.target, text);
    else if (text !== '') {
      this.report(line, 'text after the first declaration', 'move it up into the summary, or indent it to go on');
    }
  }

  /** @param {{ description: string }} target @param {string} text */
  #continue(target, text) {
    target.description = `${target.description} ${text}`.trim();
  }

  /** @returns {Header} */
  header() {
    return {
      summary: this.#summary.join('\n').trim(),
      keys: this.#parameters.filter(({ table }) => table === 'KEYS'),
      args: this.#parameters.filter(({ table }) => table === 'ARGV'),
      reply: this.#reply,
    };
  }

  /** @param {string} word @param {string} text @param {number} indent @param {number} line */
  #declare(word, text, indent, line) {
    const section = SECTIONS.indexOf(word);
    if (section < this.#section) {
      this.report(line, `${word} after ${SECTIONS[this.#section]}`, 'order the header as KEYS, ARGV, REPLY');
    }
    this.#section = Math.max(section, this.#section);
    const declared = word === 'REPLY' ? this.#declareReply(text, line) : this.#declareParameter(word, text, line);
    this.#open = { target: declared ?? { description: '' }, indent };
  }

  /** @param {string} text @param {number} line */
  #declareReply(text, line) {
    if (this.#reply !== undefined) {
      this.report(line, 'a second REPLY', 'keep one; a reply that may be nil is "<type> | nil"');
      return undefined;
    }
    try {
      const { shape, rest } = parseReplyType(text);
      this.#reply = { shape, description: rest, line };
    } catch (error) {
      this.#reply = { shape: 'nil', description: '', line };
      this.report(line, `REPLY: ${error instanceof Error ? error.message : String(error)}`, 'correct the type');
    }
    return this.#reply;
  }

  /** @param {string} word @param {string} text @param {number} line */
  #declareParameter(word, text, line) {
    const parts = /^(\S+)\s+(\([^)]*\)|\S+)\s*(.*)$/.exec(text);
    if (parts === null) {
      this.report(line, `${word} needs a name and a type`, `write "${word}  <name>  <type>  <description>"`);
      return undefined;
    }
    const [, label = '', type = '', description = ''] = parts;
    const table = word === 'KEYS' ? 'KEYS' : 'ARGV';
    const tuple = type.startsWith('(');
    const parameter = {
      table: /** @type {'KEYS' | 'ARGV'} */ (table),
      index: this.#parameters.filter((earlier) => earlier.table === table).length + 1,
      name: label.replace(/\.\.\.$/, ''),
      types: tuple
        ? type
            .slice(1, -1)
            .split(',')
            .map((each) => each.trim())
        : [type],
      variadic: label.endsWith('...'),
      tuple,
      description,
      line,
    };
    this.#parameters.push(parameter);
    return parameter;
  }
}
