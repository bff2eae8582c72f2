import { describe, expect, it } from '@jest/globals';
import {
  All,
  Controller,
  Get,
  Head,
  Next,
  Post,
  Redirect,
  Render,
  Res,
  Sse,
  Version,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { isBoundToHost, sendsItsResult, unservedMethodOf, versionsOf } from './route-metadata.js';

@Controller({ path: 'pages', host: 'shop.example', version: '1' })
class Pages {
  @Get()
  plain(): void {}

  @Get()
  passthrough(@Res({ passthrough: true }) _response: unknown): void {}

  @Get()
  manual(@Res() _response: unknown): void {}

  @Get()
  next(@Next() _next: unknown): void {}

  @Redirect('/')
  redirect(): void {}

  @Render('page')
  render(): void {}

  @Sse()
  events(): void {}

  @Version(['2', '3'])
  versioned(): void {}

  @Version(VERSION_NEUTRAL)
  neutral(): void {}
}

class Methods {
  @Get()
  get(): void {}

  @Head()
  head(): void {}

  @All()
  all(): void {}

  @Post()
  post(): void {}

  none(): void {}
}

@Controller()
class Bare {
  @Get()
  plain(): void {}
}

describe('sendsItsResult', () => {
  it.each(['plain', 'passthrough'] as const)('holds for %s', (name) => {
    expect(sendsItsResult(Pages, Pages.prototype[name])).toBe(true);
  });

  it.each(['manual', 'next', 'redirect', 'render', 'events'] as const)('does not hold for %s', (name) => {
    expect(sendsItsResult(Pages, Pages.prototype[name])).toBe(false);
  });
});

it('finds the versions of a handler, or else of its controller', () => {
  expect(versionsOf(Pages, Pages.prototype.versioned)).toEqual(['2', '3']);
  expect(versionsOf(Pages, Pages.prototype.plain)).toBe('1');
  expect(versionsOf(Pages, Pages.prototype.neutral)).toBeUndefined();
  expect(versionsOf(Bare, Bare.prototype.plain)).toBeUndefined();
});

it('knows methods whose answers are never cached', () => {
  for (const name of ['get', 'head', 'all', 'none'] as const) {
    expect(unservedMethodOf(Methods.prototype[name])).toBeUndefined();
  }
  expect(unservedMethodOf(Methods.prototype.post)).toBe('POST');
});

it('knows controllers that are bound to a host', () => {
  expect(isBoundToHost(Pages)).toBe(true);
  expect(isBoundToHost(Bare)).toBe(false);
});
