import { ApiProperty } from '@nestjs/swagger';
import type { RateLimitResult } from 'rookery/throttler';

/** Where a client stands with one policy. */
export class PolicyUsageResponse {
  @ApiProperty({ example: 'sustained' })
  readonly name!: string;

  @ApiProperty({ type: 'integer', example: 1_000 })
  readonly limit!: number;

  @ApiProperty({ type: 'integer', description: 'Requests that are left', example: 812 })
  readonly remaining!: number;

  @ApiProperty({ type: 'integer', description: 'In how many milliseconds all of it is back', example: 3_590_000 })
  readonly resetMs!: number;
}

/** Where a client stands. */
export class ClientLimitsResponse {
  @ApiProperty({ description: 'Whether it is on the block list; then there are no policies' })
  readonly blocked: boolean;

  @ApiProperty({ type: [PolicyUsageResponse] })
  readonly policies: readonly PolicyUsageResponse[];

  constructor({ blocked, policies }: RateLimitResult) {
    this.blocked = blocked;
    this.policies = policies.map(({ name, limit, remaining, resetMs }) => ({ name, limit, remaining, resetMs }));
  }
}
