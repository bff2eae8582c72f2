/** One process of an application with locks: `node --import ./test/support/typescript.js child.ts`. It does what its parent tells it to. */
import 'reflect-metadata';
import type { LockHandle } from '../../../src/lock/index.js';
import { serveJobs } from '../job-process.js';
import type { HeldLock, Locks } from './held-lock.js';
import type { LockJobs, OpenSettings } from './protocol.js';
import { RecipeLocks } from './recipe-locks.js';
import { RookeryLocks } from './rookery-locks.js';
import { storm } from './storm.js';
import { Worker } from './worker.js';

const WAIT_MS = 60_000;

let locks: Locks;
let settings: OpenSettings;
let worker: Worker;
const kept: { readonly held: HeldLock; readonly handle: LockHandle }[] = [];

function rookery(): RookeryLocks {
  if (locks instanceof RookeryLocks) return locks;
  throw new Error('The recipe cannot do that.');
}

serveJobs<LockJobs>({
  async open(given) {
    settings = given;
    locks = given.by === 'recipe' ? new RecipeLocks(given) : await RookeryLocks.open(given);
    return null;
  },
  work(given) {
    worker = new Worker(locks, settings.process, settings.redisDeadlineMs, given);
    return worker.run();
  },
  async stop() {
    worker.stop();
    return null;
  },
  storm: (given) => storm(rookery(), given),
  async hold({ wish, ttlMs }) {
    const taken = await rookery().take(wish, { ttlMs, waitMs: WAIT_MS, byUsing: false });
    kept.push(taken);
    return taken.held.claim;
  },
  async letGo() {
    const all = kept.splice(0);
    for (const { held } of all) held.look();
    await Promise.all(all.map(({ handle }) => handle.release()));
    return all.map(({ held }) => held.claim);
  },
  async close() {
    await locks.close();
    return null;
  },
});
