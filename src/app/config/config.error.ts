import { StartupError } from './startup.error.js';

/** One variable that cannot be used, and what it may be instead. */
export interface ConfigProblem {
  readonly variable: string;
  readonly message: string;
}

/** The environment holds values that cannot be used. Names every one of them at once. */
export class ConfigError extends StartupError {
  constructor(readonly problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable} ${message}`);
    super(`The service cannot start with these environment variables:\n${lines.join('\n')}`);
  }
}
