import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The real project, whose tools and rules are under test. */
export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

const RULES = ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs', 'eslint.config.js', 'src/app/package.json'];

/** A throw-away project with the real rules and whatever sources a test gives it; the live tree is never touched. */
export class ProjectCopy implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'rookery-rules-'));

  constructor(files: Record<string, string>) {
    for (const file of RULES) this.#copy(file);
    this.#copy('scripts');
    symlinkSync(join(projectRoot, 'node_modules'), join(this.root, 'node_modules'), 'dir');
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      writeFileSync(join(this.root, file), text);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #copy(path: string): void {
    cpSync(join(projectRoot, path), join(this.root, path), { recursive: true });
  }
}
