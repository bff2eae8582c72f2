import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { SkipRateLimit } from 'rookery/throttler';
import { Drain } from '../lifecycle/drain.js';
import { DatabaseHealth } from './database-health.js';
import { HealthReport } from './health-report.js';
import { RedisHealth } from './redis-health.js';

/** What the response objects of both adapters can do. */
interface StatusResponse {
  status(code: number): unknown;
}

@ApiTags('Health')
// Probes come from one address, and are never to be refused.
@SkipRateLimit()
@Controller('health')
export class HealthController {
  constructor(
    private readonly database: DatabaseHealth,
    private readonly redis: RedisHealth,
    private readonly drain: Drain,
  ) {}

  @ApiOperation({ summary: 'The process works', description: 'Restart it when this is not answered.' })
  @ApiOkResponse({ schema: { example: { status: 'ok' } } })
  @Header('cache-control', 'no-store')
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /**
   * Redis being away does not make the service unready: but for views, it answers from the database meanwhile, and taking
   * all instances out of service because their cache is gone would make no shop out of a slow one.
   */
  @ApiOperation({
    summary: 'The service can take requests',
    description: 'Also when Redis is away (`degraded`): the shop then answers from the database.',
  })
  @ApiOkResponse({ type: HealthReport })
  @ApiResponse({ status: 503, type: HealthReport, description: 'The database is out of reach, or the service stops' })
  @Header('cache-control', 'no-store')
  @Get('ready')
  async ready(@Res({ passthrough: true }) response: StatusResponse): Promise<HealthReport> {
    const checks = { database: await this.database.check(), redis: this.redis.check() };
    const report = new HealthReport(checks, this.drain.draining);
    response.status(report.ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return report;
  }
}
