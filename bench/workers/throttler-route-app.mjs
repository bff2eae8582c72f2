import 'reflect-metadata';
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { Controller, Get, Module, Param, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ThrottlerGuard as NestThrottlerGuard, ThrottlerModule as NestThrottlerModule } from '@nestjs/throttler';
import { RedisModule } from 'rookery';
import { ThrottlerGuard, ThrottlerModule } from 'rookery/throttler';
import { serve } from '../lib/crew.mjs';
import { LIMIT, THREE, WINDOW, WINDOW_MS } from '../lib/decisions.mjs';
import { connect } from '../lib/redis-client.mjs';
import { product } from '../lib/values.mjs';

const VALUE = product(1_000);
const userOf = ({ headers }) => headers['x-user'];

/** The parts of an application for each kind of limits: what it imports, and the guard of its route. */
const KINDS = {
  bare: async () => ({ imports: [], guards: [] }),
  rookery: async ({ host, port }, limits) => ({
    imports: [
      RedisModule.forRoot({ url: `redis://${host}:${port}`, keyPrefix: 'shop' }),
      ThrottlerModule.forRoot({
        policies: limits === 1 ? [WINDOW] : THREE,
        tracker: (caller) => ['user', userOf(caller)],
        redisDeadline: '5s',
      }),
    ],
    guards: [ThrottlerGuard],
  }),
  nest: async (redis, limits) => {
    const client = await connect(redis);
    const throttlers = [
      { name: 'sustained', limit: LIMIT, ttl: WINDOW_MS },
      { name: 'burst', limit: LIMIT, ttl: 1_000 },
      { name: 'daily', limit: 100 * LIMIT, ttl: 86_400_000 },
    ].slice(0, limits);
    const storage = new ThrottlerStorageRedisService(client);
    return {
      imports: [NestThrottlerModule.forRoot({ throttlers, storage, getTracker: userOf })],
      guards: [NestThrottlerGuard],
      close: () => client.disconnect(),
    };
  },
};

/** What `@Get('products/:id') find(@Param('id') id) {}` does, and `@UseGuards`, where there is no syntax for it. */
function controllerOf(guards) {
  class ProductsController {
    find(id) {
      return { ...VALUE, id };
    }
  }
  const { prototype } = ProductsController;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'find');
  Param('id')(prototype, 'find', 0);
  Get('products/:id')(prototype, 'find', descriptor);
  UseGuards(...guards)(prototype, 'find', descriptor);
  Controller()(ProductsController);
  return ProductsController;
}

serve(async ({ kind, limits, redis, adapter }) => {
  const { imports, guards, close } = await KINDS[kind](redis, limits);
  class AppModule {}
  Module({ imports, controllers: [controllerOf(guards)] })(AppModule);
  const platform = adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, platform, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  return {
    port: () => app.getHttpServer().address().port,
    close: async () => {
      await app.close();
      close?.();
    },
  };
});
