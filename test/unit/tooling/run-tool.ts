import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { projectRoot } from './project-copy.js';

/** How a tool ended and what it said. */
export interface ToolResult {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a tool of the project, given by its path from the project's folder, in another folder. */
export function runTool(cwd: string, tool: string, ...args: readonly string[]): ToolResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectRoot, tool), ...args], {
    cwd,
    encoding: 'utf8',
    // Jest's own flags would make each child an ES module loader with a warning.
    env: { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0' },
  });
  return { status, output: stdout + stderr };
}
