import { Injectable } from '@nestjs/common';
import { InjectRedis, RedisConnection } from 'rookery';
import { HealthCheck } from './health-report.js';

/** What the traffic itself shows about Redis; no round trip, so nothing that could hang. */
@Injectable()
export class RedisHealth {
  constructor(@InjectRedis() private readonly redis: RedisConnection) {}

  check(): HealthCheck {
    const { state, reason, sinceMs } = this.redis.health.status;
    if (state === 'up') {
      return new HealthCheck('up');
    }
    return new HealthCheck(state, `${reason ?? 'not connected'}, for ${Math.round(sinceMs / 1_000)} s`);
  }
}
