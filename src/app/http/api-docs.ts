import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Where people read about the API; machines find the same at `/docs-json`. */
export const DOCS_PATH = 'docs';

/** Serves the OpenAPI description of every route, and pages to try them. Needs nothing from the network. */
export function serveApiDocs(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Rookery shop')
    .setDescription('A small shop that uses the modules of Rookery as any Nest application would.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN of the service' })
    .addCookieAuth('__Host-sid', { type: 'apiKey', in: 'cookie', description: 'What POST /auth/login sets' })
    .build();
  SwaggerModule.setup(DOCS_PATH, app, () => SwaggerModule.createDocument(app, config), {
    customSiteTitle: 'Rookery shop',
  });
}
