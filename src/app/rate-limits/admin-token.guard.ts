import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ConfigService } from '@nestjs/config';
import type { Settings } from '../config/settings.js';

const BEARER = /^Bearer +(\S+)$/i;

/** Lets in who has the service's admin token; nobody when there is none. */
@Injectable()
export class AdminTokenGuard implements CanActivate {
  constructor(
    private readonly settings: ConfigService<Settings, true>,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const expected = this.settings.get('adminToken', { infer: true });
    if (expected === undefined) throw new ForbiddenException('The service has no admin token: set ADMIN_TOKEN');
    const http = context.switchToHttp();
    const { authorization = '' } = http.getRequest<{ readonly headers: { readonly authorization?: string } }>().headers;
    const [, given] = BEARER.exec(authorization) ?? [];
    if (given !== undefined && timingSafeEqual(digest(given), digest(expected))) return true;
    this.adapterHost.httpAdapter.setHeader(http.getResponse(), 'www-authenticate', 'Bearer');
    throw new UnauthorizedException('This needs the admin token');
  }
}

/** Digests are of one length, as the comparison needs them. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
