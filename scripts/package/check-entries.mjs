import { spawnSync } from 'node:child_process';

const LOADERS = {
  module: `
    const load = (entry) => import(entry);`,
  commonjs: `
    const load = async (entry) => require(entry);`,
};

const TRY_ALL = `
  (async () => {
    for (const entry of process.argv.slice(1)) {
      try {
        if (Object.keys(await load(entry)).length === 0) console.log(entry + ' exports nothing');
      } catch (error) {
        console.log(entry + ': ' + String(error?.message ?? error).split('\\n')[0]);
      }
    }
  })();`;

/**
 * Every entry loads as an ES module and, for CommonJS applications, through `require()`, which a top-level await would
 * break. Loading leaves nothing running: the process ends by itself.
 *
 * @param {string} consumer the folder of a project that has the package installed
 * @param {string[]} entries
 * @returns {string[]} problems
 */
export function checkEntries(consumer, entries) {
  return Object.entries(LOADERS).flatMap(([type, loader]) => {
    const { stdout, stderr, status, error } = spawnSync(
      process.execPath,
      [`--input-type=${type}`, '--eval', loader + TRY_ALL, ...entries],
      { cwd: consumer, encoding: 'utf8', timeout: 30_000 },
    );
    const how = type === 'module' ? 'import' : 'require';
    const said = stdout.split('\n').filter(Boolean);
    if (error?.code === 'ETIMEDOUT') said.push('loading it keeps the process alive');
    else if (status !== 0) said.push(stderr.trim());
    return said.map((problem) => `${how} ${problem}`);
  });
}
