import { Logger } from '@nestjs/common';
import type { Clock } from '../../../core/time/clock.js';

const QUIET_MS = 60_000;

/** Warnings about one journal, each kind at most once a minute: a source that is away would fill the log. */
export class QuietLog {
  readonly #logger = new Logger('WriteBehind');
  readonly #saidAtMs = new Map<string, number>();

  constructor(
    private readonly journal: string,
    private readonly clock: Clock,
  ) {}

  /** `kind` is one of few; `message` holds no key and no value. */
  warn(kind: string, message: string): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - (this.#saidAtMs.get(kind) ?? -Infinity) < QUIET_MS) return;
    this.#saidAtMs.set(kind, nowMs);
    this.#logger.warn(`Write-behind '${this.journal}': ${message}`);
  }
}

/** The name of an error, and never its message, which may quote what was written. */
export function errorName(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  return name.replace(/[^\w.]/g, '').slice(0, 64) || 'Error';
}
