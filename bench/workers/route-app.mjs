import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKeyv } from '@keyv/redis';
import { CacheInterceptor, CacheModule as CacheManagerModule } from '@nestjs/cache-manager';
import { Controller, Get, Inject, Injectable, Module, Param, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisModule } from 'rookery';
import { Cacheable, CacheModule, CacheResponse } from 'rookery/cache';
import { serve } from '../lib/crew.mjs';
import { product } from '../lib/values.mjs';

const VALUE = product(1_000);
const COLD_LOAD_MS = 20;
const TTL_MS = 3_600_000;

let handled = 0;

/** What a handler does for its answer; it takes its time where the id says so, for the count of those that run at once. */
async function find(id) {
  handled += 1;
  if (id.startsWith('cold')) await sleep(COLD_LOAD_MS);
  return { ...VALUE, id };
}

/** What `@Get(path) find(@Param('id') id) {}` and more decorators do, topmost first, where there is no syntax for it. */
function decorateMethod(target, name, parameter, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  parameter?.(target.prototype, name, 0);
  for (const decorate of decorators.reverse()) decorate(target.prototype, name, descriptor);
  Object.defineProperty(target.prototype, name, descriptor);
}

function controllerOf(path, ...decorators) {
  class ProductsController {
    find(id) {
      return find(id);
    }
  }
  decorateMethod(ProductsController, 'find', Param('id'), Get(`${path}/:id`), ...decorators);
  Controller()(ProductsController);
  return ProductsController;
}

/** A controller whose service is cached. */
function serviceRoute(path, cache) {
  class ProductsService {
    find(id) {
      return find(id);
    }
  }
  decorateMethod(ProductsService, 'find', null, Cacheable({ cache, key: (id) => id }));
  Injectable()(ProductsService);
  class ProductsController {
    constructor(products) {
      this.products = products;
    }
    find(id) {
      return this.products.find(id);
    }
  }
  Inject(ProductsService)(ProductsController, undefined, 0);
  decorateMethod(ProductsController, 'find', Param('id'), Get(`${path}/:id`));
  Controller()(ProductsController);
  return moduleOf(path, { controllers: [ProductsController], providers: [ProductsService] });
}

function moduleOf(name, metadata) {
  const module = { [name]: class {} }[name];
  Module(metadata)(module);
  return module;
}

function appOf({ host, port }) {
  const url = `redis://${host}:${port}`;
  const manager = (path, options) =>
    moduleOf(path, {
      imports: [CacheManagerModule.register({ ttl: TTL_MS, ...options })],
      controllers: [controllerOf(path, UseInterceptors(CacheInterceptor))],
    });
  return moduleOf('app', {
    imports: [
      RedisModule.forRoot({ url }),
      CacheModule.forRoot({ ttl: '1h', redisDeadline: '5s' }),
      CacheModule.forFeature({ name: 'memory', memory: true }, { name: 'redis', memory: false }),
      serviceRoute('cacheable-memory', 'memory'),
      serviceRoute('cacheable-redis', 'redis'),
      manager('manager-memory', {}),
      manager('manager-redis', { stores: [createKeyv(url)] }),
    ],
    controllers: [
      controllerOf('bare'),
      controllerOf('response-memory', CacheResponse({ cache: 'memory' })),
      controllerOf('response-redis', CacheResponse({ cache: 'redis' })),
    ],
  });
}

serve(async ({ redis, adapter }) => {
  const platform = adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(appOf(redis), platform, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  return {
    port: () => app.getHttpServer().address().port,
    handled: () => handled,
    close: () => app.close(),
  };
});
