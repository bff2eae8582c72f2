import { execFile } from 'node:child_process';

/** How a program is run. Default: here, with our environment, for at most 30 s. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** How it ended. */
export interface RunResult {
  /** False when the program is missing, failed, or took too long. */
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without a shell. Never throws: a failure is a result. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeoutMs = 30_000, ...rest } = options;
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { ...rest, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ ok: error === null, stdout, stderr: stderr || (error?.message ?? '') }),
    );
  });
}
