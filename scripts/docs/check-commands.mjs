import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const NPM_RUN = /\bnpm\s+(?<options>(?:--?\S+\s+|--prefix\s+\S+\s+)*)(?:run|run-script)\s+(?<script>[\w:.-]+)/g;
const NPM_SHORTHAND = /\bnpm\s+(?<script>start|stop|restart|test|t)\b/g;
const NODE_FILE = /\bnode\s+(?:--?\S+\s+)*(?<file>[\w./-]+\.[cm]?js)\b/g;

/**
 * What a shell block asks the reader to type exists: the npm scripts and the files given to node.
 *
 * @param {string} root the project's folder
 * @param {import('./blocks.mjs').Block} block
 */
export function checkCommands(root, block) {
  return block.lines.flatMap(({ text, line }) => [
    ...[...text.matchAll(NPM_RUN)].flatMap(({ groups }) => {
      const folder = /--prefix[ =](\S+)/.exec(groups.options)?.[1] ?? '.';
      return missingScript(root, folder, groups.script, line);
    }),
    ...[...text.matchAll(NPM_SHORTHAND)].flatMap(({ groups }) =>
      missingScript(root, '.', groups.script === 't' ? 'test' : groups.script, line),
    ),
    ...[...text.matchAll(NODE_FILE)]
      .filter(({ groups }) => !groups.file.startsWith('dist/') && !existsSync(join(root, groups.file)))
      .map(({ groups }) => ({ line, message: `there is no file ${groups.file}` })),
  ]);
}

function missingScript(root, folder, script, line) {
  const manifest = join(root, folder, 'package.json');
  const scripts = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')).scripts ?? {}) : {};
  return script in scripts
    ? []
    : [{ line, message: `there is no script "${script}" in ${join(folder, 'package.json')}` }];
}
