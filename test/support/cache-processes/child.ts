/**
 * One process of an application with a cache: `node --import ./test/support/typescript.js child.ts`. It does what its parent tells it to, one job at a time, and
 * ends by itself when its parent lets go of it, unless something that it opened is still open.
 */
import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheModule, CacheService } from '../../../src/cache/index.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import type { FromChild, JobName, Jobs, ToChild } from './protocol.js';
import { Source } from './source.js';
import { runStampede } from './stampede.js';
import { Workload } from './workload.js';

let app: INestApplicationContext;

/** The root module, which imports what each job asks for. */
class ChildModule {}

let source: Source;

const cache = (): CacheService => app.get(CacheService);

const jobs: { readonly [Name in JobName]: (given: Jobs[Name]['given']) => Promise<Jobs[Name]['answer']> } = {
  async open({ redis, prefix, sourceUrl, memory, lease, redisDeadline }) {
    source = new Source(sourceUrl, prefix);
    const imports = [
      RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      CacheModule.forRoot({ memory, lease, redisDeadline }),
    ];
    // What goes wrong on purpose need not fill the terminal.
    app = await NestFactory.createApplicationContext({ module: ChildModule, imports }, { logger: false });
    return null;
  },
  stampede: (settings) => runStampede(cache(), source, settings, () => tell({ hangs: true })),
  workload: (settings) => new Workload(cache(), source, settings).run(),
  readAll: (settings) => new Workload(cache(), source, settings).readAll(),
  invalidateTag: (tag) => cache().invalidateTags([tag]),
  async close() {
    await app.close();
    source.close();
    return null;
  },
};

process.on('message', ({ id, job, given }: ToChild) => {
  (jobs[job] as (given: unknown) => Promise<unknown>)(given).then(
    (answer) => tell({ id, answer }),
    (error: unknown) => tell({ id, error: String((error as Error).stack ?? error) }),
  );
});
tell({ ready: true });

function tell(message: FromChild): void {
  process.send?.(message);
}
