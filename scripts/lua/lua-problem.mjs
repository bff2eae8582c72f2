// @ts-check

/** Something wrong with a script: where it is, what it is, and what to do about it. */
export class LuaProblem {
  /**
   * @param {number} line the line in the Lua file, from 1
   * @param {string} what what is wrong
   * @param {string} fix what to do, in the imperative
   */
  constructor(line, what, fix) {
    this.line = line;
    this.what = what;
    this.fix = fix;
  }

  /**
   * @param {string} file
   * @returns {string} one line, in the form that editors and terminals make a link of
   */
  in(file) {
    return `${file}:${this.line}: ${this.what}. Fix: ${this.fix}.`;
  }
}

/** The build stops: at least one script is wrong. The message has one line for each problem. */
export class LuaBuildError extends Error {
  /** @param {readonly string[]} lines */
  constructor(lines) {
    super(lines.join('\n'));
    this.name = 'LuaBuildError';
  }
}
