/**
 * One process of an application with a cache: `node --import ./test/support/typescript.js child.ts`. It does what its parent tells it to,
 * one job at a time.
 */
import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheModule, CacheService } from '../../../src/cache/index.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { serveJobs, tellNews } from '../job-process.js';
import { HANGS, type CacheJobs } from './protocol.js';
import { Source } from './source.js';
import { runStampede } from './stampede.js';
import { Workload } from './workload.js';

let app: INestApplicationContext;

/** The root module, which imports what each job asks for. */
class ChildModule {}

let source: Source;

const cache = (): CacheService => app.get(CacheService);

serveJobs<CacheJobs>({
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
  stampede: (settings) => runStampede(cache(), source, settings, () => tellNews(HANGS)),
  workload: (settings) => new Workload(cache(), source, settings).run(),
  readAll: (settings) => new Workload(cache(), source, settings).readAll(),
  invalidateTag: (tag) => cache().invalidateTags([tag]),
  async close() {
    await app.close();
    source.close();
    return null;
  },
});
