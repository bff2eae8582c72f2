/** Lets plain Node import the TypeScript sources: `node --import ./test/support/typescript.js file.ts`, and Jest's global set-up. */
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);
