import { Injectable } from '@nestjs/common';
import { type Database, InjectDatabase, serverVersion } from '../database/database.js';
import { HealthCheck } from './health-report.js';

const DEADLINE_MS = 500;

/** Asks the database a small question and gives it half a second. */
@Injectable()
export class DatabaseHealth {
  /** One question at a time: a database that hangs must not collect one more waiting query per probe. */
  #asking: Promise<HealthCheck> | undefined;

  constructor(@InjectDatabase() private readonly db: Database) {}

  async check(): Promise<HealthCheck> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<HealthCheck>((resolve) => {
      timer = setTimeout(() => resolve(new HealthCheck('down', `no answer within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    });
    return Promise.race([this.#asking, late]).finally(() => clearTimeout(timer));
  }

  async #ask(): Promise<HealthCheck> {
    try {
      await serverVersion(this.db);
      return new HealthCheck('up');
    } catch (error) {
      return new HealthCheck('down', reasonOf(error));
    }
  }
}

/** The code alone where there is one: what the driver says may name hosts and users, and this page is open. */
function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'the query failed';
}
