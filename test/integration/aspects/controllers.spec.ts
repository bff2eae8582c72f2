import {
  Controller,
  Get,
  Global,
  Injectable,
  Module,
  Param,
  ParseIntPipe,
  Scope,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { aroundMethod, type Aspect, type MethodCall } from '../../../src/core/aspects/around-method.js';

const SHOUT = Symbol('@Shout (import ShoutModule)');
const Shout = (): MethodDecorator => aroundMethod('Shout', SHOUT, 'ShoutModule', null);

@Injectable()
class ShoutAspect implements Aspect<null> {
  async around({ proceed }: MethodCall): Promise<unknown> {
    return String(await proceed()).toUpperCase();
  }
}

@Global()
@Module({ providers: [{ provide: SHOUT, useClass: ShoutAspect }], exports: [SHOUT] })
class ShoutModule {}

@Injectable()
class RoleGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return this.reflector.get<string>('role', context.getHandler()) !== 'nobody';
  }
}

@Controller('above')
class Above {
  @Shout()
  @Get(':id')
  @UseGuards(RoleGuard)
  async find(@Param('id', ParseIntPipe) id: number): Promise<string> {
    return `${typeof id} ${id}`;
  }
}

@Controller({ path: 'below', scope: Scope.REQUEST })
class Below {
  @Get('secret')
  @Shout()
  @UseGuards(RoleGuard)
  @SetMetadata('role', 'nobody')
  async secret(): Promise<string> {
    return 'secret';
  }

  @Get(':id')
  @Shout()
  async find(@Param('id') id: string): Promise<string> {
    return `${typeof id} ${id}`;
  }
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const)('routes of decorated methods on %s', (_, adapter) => {
  it('are served through the aspect, with their pipes, guards and metadata', async () => {
    const module = await Test.createTestingModule({ imports: [ShoutModule], controllers: [Above, Below] }).compile();
    const app = module.createNestApplication(adapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`${url}${path}`);
      return [response.status, await response.text()];
    };
    try {
      expect(await get('/above/7')).toEqual([200, 'NUMBER 7']);
      expect((await get('/above/seven'))[0]).toBe(400);
      expect(await get('/below/7')).toEqual([200, 'STRING 7']);
      expect((await get('/below/secret'))[0]).toBe(403);
    } finally {
      await app.close();
    }
  });
});
