/** Lets plain Node run the service from its sources: `node --import ./test/e2e/support/sources.js src/app/main.ts`. */
import { register } from 'node:module';
import '../../support/typescript.js';

register('./rookery-hooks.js', import.meta.url);
