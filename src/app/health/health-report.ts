import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** How one thing that the service needs is doing. */
export class HealthCheck {
  @ApiProperty({ enum: ['up', 'degraded', 'connecting', 'down'] })
  readonly status: 'up' | 'degraded' | 'connecting' | 'down';

  @ApiPropertyOptional({ description: 'What is wrong', example: 'connect ECONNREFUSED' })
  readonly detail?: string;

  constructor(status: HealthCheck['status'], detail?: string) {
    this.status = status;
    if (detail !== undefined) {
      this.detail = detail;
    }
  }
}

export class HealthChecks {
  @ApiProperty()
  readonly database!: HealthCheck;

  @ApiProperty()
  readonly redis!: HealthCheck;
}

/** Whether the service can take requests, and how what it needs is doing. */
export class HealthReport {
  @ApiProperty({
    enum: ['ok', 'degraded', 'unavailable', 'stopping'],
    description: 'degraded: Redis is away; views are not counted, and all else is answered by the database',
  })
  readonly status: 'ok' | 'degraded' | 'unavailable' | 'stopping';

  @ApiProperty()
  readonly checks: HealthChecks;

  constructor(checks: HealthChecks, stopping: boolean) {
    this.checks = checks;
    this.status = stopping ? 'stopping' : overall(checks);
  }

  /** Whether a load balancer should send requests here. */
  get ready(): boolean {
    return this.status === 'ok' || this.status === 'degraded';
  }
}

function overall({ database, redis }: HealthChecks): HealthReport['status'] {
  if (database.status !== 'up') {
    return 'unavailable';
  }
  return redis.status === 'up' ? 'ok' : 'degraded';
}
