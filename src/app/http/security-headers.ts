import type { INestApplication } from '@nestjs/common';

/** What a JSON API and its pages of documentation need, and no header more. TLS ends before the service, and so does HSTS. */
export function useSecurityHeaders(app: INestApplication): void {
  app.useSecurityHeaders({
    xContentTypeOptions: true,
    xPoweredBy: true,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: "'self'",
        imgSrc: ["'self'", 'data:'],
        // The API pages style their elements in place.
        styleSrc: ["'self'", "'unsafe-inline'"],
        objectSrc: "'none'",
        frameAncestors: "'none'",
      },
    },
    crossOriginOpenerPolicy: false,
    crossOriginResourcePolicy: false,
    originAgentCluster: false,
    referrerPolicy: false,
    strictTransportSecurity: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
}
