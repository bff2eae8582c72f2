import { describe, expect, it } from '@jest/globals';
import { type ExecutionContext, ForbiddenException } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { ConfigService } from '@nestjs/config';
import type { Settings } from '../config/settings.js';
import { AdminTokenGuard } from './admin-token.guard.js';

describe('AdminTokenGuard', () => {
  it('lets nobody in when there is no token, and says which variable is missing', () => {
    const guard = new AdminTokenGuard(
      { get: () => undefined } as unknown as ConfigService<Settings, true>,
      {} as HttpAdapterHost,
    );
    for (const authorization of [undefined, 'Bearer ', 'Bearer undefined']) {
      const context = { switchToHttp: () => ({ getRequest: () => ({ headers: { authorization } }) }) };
      const enter = (): boolean => guard.canActivate(context as unknown as ExecutionContext);
      expect(enter).toThrow(ForbiddenException);
      expect(enter).toThrow(/ADMIN_TOKEN/);
    }
  });
});
