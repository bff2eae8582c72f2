import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Removes the folder once the pipe on its standard input closes. It tries again while a dying server still writes. */
const JANITOR = `
while read -r _; do :; done
tries=0
while [ -e "$1" ] && [ "$tries" -lt 50 ]; do
  rm -rf -- "$1" 2>/dev/null
  [ -e "$1" ] && sleep 0.1
  tries=$((tries + 1))
done
`;

/** A temporary folder that only this user may enter (0700), and that is gone when this process is, whatever ends it. */
export class PrivateFolder {
  readonly path: string;
  readonly #janitor: ChildProcess;

  constructor() {
    this.path = mkdtempSync(join(realpathSync(tmpdir()), 'rookery-'));
    const janitor = spawn('/bin/sh', ['-c', JANITOR, 'rookery-janitor', this.path], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    janitor.on('error', () => undefined);
    janitor.stdin.on('error', () => undefined);
    janitor.unref();
    (janitor.stdin as Socket).unref();
    this.#janitor = janitor;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
    this.#janitor.stdin?.end();
  }
}
