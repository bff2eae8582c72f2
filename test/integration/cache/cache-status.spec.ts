import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  NotFoundException,
  Param,
  UseInterceptors,
  type INestApplication,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Cacheable, CacheModule, CacheStatusInterceptor } from '../../../src/cache/index.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

@Injectable()
class LampsService {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    if (id === 'none') throw new NotFoundException();
    return `lamp ${id}`;
  }
}

@Controller('lamps')
@UseInterceptors(CacheStatusInterceptor)
class LampsController {
  constructor(private readonly lamps: LampsService) {}

  @Get('uncached')
  uncached(): string {
    return 'plain';
  }

  @Get(':id')
  one(@Param('id') id: string): Promise<string> {
    return this.lamps.find(id);
  }

  @Get(':first/:second')
  async two(@Param('first') first: string, @Param('second') second: string): Promise<string[]> {
    return [await this.lamps.find(first), await this.lamps.find(second)];
  }
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('CacheStatusInterceptor on %s', (_name, createAdapter) => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [
        RedisModule.forRoot({ ...sharedRedis('standalone'), keyPrefix: randomPrefix() }),
        CacheModule.forRoot({ redisDeadline: '5s' }),
      ],
      controllers: [LampsController],
      providers: [LampsService],
    }).compile();
    app = module.createNestApplication(createAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    url = `${await app.getUrl()}/lamps`;
  });

  afterAll(() => app.close());

  const status = async (path: string): Promise<string | null> => (await fetch(`${url}/${path}`)).headers.get('x-cache');

  it('says miss, then hit', async () => {
    expect(await status('1')).toBe('miss');
    expect(await status('1')).toBe('hit');
  });

  it('says miss when one of several reads missed', async () => {
    await status('2');
    expect(await status('2/3')).toBe('miss');
    expect(await status('2/3')).toBe('hit');
  });

  it('says nothing when nothing was read or the handler failed', async () => {
    expect(await status('uncached')).toBeNull();
    expect(await status('none')).toBeNull();
  });

  it('keeps concurrent requests apart', async () => {
    await status('warm');
    const paths = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'warm' : `cold-${i}`));
    expect(await Promise.all(paths.map(status))).toEqual(paths.map((path) => (path === 'warm' ? 'hit' : 'miss')));
  });
});
