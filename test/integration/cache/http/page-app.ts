import { request } from 'node:http';
import type { DynamicModule, INestApplication, Provider, Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { CacheModule } from '../../../../src/cache/index.js';
import { RedisModule } from '../../../../src/core/redis/redis.module.js';
import { randomPrefix, sharedRedis, type SharedTopology } from '../../../support/redis.js';

export type AdapterName = 'Express' | 'Fastify';

export const ADAPTERS: readonly AdapterName[] = ['Express', 'Fastify'];

export interface PageAppOptions {
  readonly adapter: AdapterName;
  readonly controllers: readonly Type[];
  readonly providers?: readonly Provider[];
  readonly imports?: readonly (DynamicModule | Type)[];
  readonly topology?: SharedTopology;
  readonly prefix?: string;
  /** Default: Redis. */
  readonly store?: 'memory';
  readonly configure?: (app: INestApplication) => unknown;
}

/** An answer as a client sees it. */
interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly cache: string | null;
}

/** An application that listens, and how to ask it. The caller closes it. */
export interface PageApp {
  readonly app: INestApplication;
  readonly url: string;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Seen>;
  /** The body for a request target just as it stands, which `fetch` would mend. */
  body(target: string, headers?: Record<string, string>): Promise<string>;
}

export async function pageApp(options: PageAppOptions): Promise<PageApp> {
  const { adapter, topology = 'standalone', prefix = randomPrefix() } = options;
  const module = await Test.createTestingModule({
    imports: [
      ...(options.store === 'memory'
        ? [CacheModule.forRoot({ store: 'memory' })]
        : [
            RedisModule.forRoot({ ...sharedRedis(topology), keyPrefix: prefix }),
            CacheModule.forRoot({ redisDeadline: '5s' }),
          ]),
      ...(options.imports ?? []),
    ],
    controllers: [...options.controllers],
    providers: [...(options.providers ?? [])],
  }).compile();
  const app = module.createNestApplication(adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(), {
    logger: false,
  });
  await options.configure?.(app);
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  const get: PageApp['get'] = async (path, headers = {}, method = 'GET') => {
    const response = await fetch(url + path, { method, headers, redirect: 'manual' });
    const body = await response.text();
    return { status: response.status, headers: response.headers, body, cache: response.headers.get('x-cache') };
  };
  const { port } = new URL(url);
  const body: PageApp['body'] = (target, headers = {}) =>
    new Promise((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path: target, headers: { ...headers, connection: 'close' } });
      asked.on('error', reject).on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text)).on('error', reject);
      });
      asked.end();
    });
  return { app, url, get, body };
}
