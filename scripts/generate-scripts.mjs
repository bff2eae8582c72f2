// @ts-check
/**
 * Lua to typed TypeScript: run by `prepare`, `build` and `test`, and by hand as `npm run generate`.
 * A script whose header disagrees with its body ends it with code 1 and one line per problem.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './lua/generate.mjs';
import { LuaBuildError } from './lua/lua-problem.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const runtime = 'src/core/scripts/define-script.ts';

const targets = [
  { lua: 'lua', out: 'src' },
  { lua: 'test/support/lua', out: 'test/support' },
];

try {
  // A tree without its tests (an image build, say) has nothing to generate for them.
  for (const target of targets.filter(({ lua }) => existsSync(join(root, lua)))) {
    const { scripts, written, removed } = generate({ root, runtime, ...target });
    for (const path of written) console.log(`wrote ${path}`);
    for (const path of removed) console.log(`removed ${path}`);
    console.log(`${target.lua}: ${scripts} script${scripts === 1 ? '' : 's'}, up to date`);
  }
} catch (error) {
  if (!(error instanceof LuaBuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
