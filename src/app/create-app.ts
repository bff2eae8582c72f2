import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule, type Foundations } from './app.module.js';
import type { HttpAdapterName } from './config/environment.js';
import { serveApiDocs } from './http/api-docs.js';
import { BODY_LIMIT_BYTES, createAdapter, KEEP_ALIVE_MS } from './http/create-adapter.js';
import { onEveryRequest } from './http/exchange.js';
import { logRequest } from './http/request-log.js';
import { useSecurityHeaders } from './http/security-headers.js';
import { Drain } from './lifecycle/drain.js';

export type ShopApplication = NestExpressApplication | NestFastifyApplication;

export interface AppOptions extends Foundations {
  readonly httpAdapter: HttpAdapterName;
  readonly logger: LoggerService;
}

/** The service on its foundations, complete but not listening yet; whoever starts it closes it. */
export async function createApp({ httpAdapter, logger, ...foundations }: AppOptions): Promise<ShopApplication> {
  const adapter = createAdapter(httpAdapter);
  const app = await NestFactory.create<ShopApplication>(AppModule.register(foundations), adapter, {
    logger,
    abortOnError: false,
  });
  if (isExpress(app)) {
    app.useBodyParser('json', { limit: BODY_LIMIT_BYTES });
  }
  app.getHttpServer().keepAliveTimeout = KEEP_ALIVE_MS;
  useSecurityHeaders(app);
  app.get(Drain).watch(app.getHttpServer());
  onEveryRequest(adapter, logRequest);
  serveApiDocs(app);
  return app;
}

function isExpress(app: ShopApplication): app is NestExpressApplication {
  return app.getHttpAdapter().getType() === 'express';
}
