import { ApiProperty } from '@nestjs/swagger';
import type { SessionSummary } from 'rookery/session';

/** A place where a user is logged in. */
export class DeviceResponse {
  @ApiProperty({
    example: 'q3ZvkX0mB7nT1c9yUeJ2hLwR5aF',
    description: 'Names it for ending it; nobody can log in with it',
  })
  readonly id: string;

  @ApiProperty({ type: 'string', nullable: true, example: 'Firefox 128 on Linux' })
  readonly agent: string | null;

  @ApiProperty({ type: 'string', nullable: true, example: '192.0.2.7' })
  readonly ip: string | null;

  @ApiProperty({ format: 'date-time' })
  readonly loggedInAt: string;

  @ApiProperty({ format: 'date-time', description: 'Within three minutes' })
  readonly lastSeenAt: string;

  @ApiProperty({ description: 'Whether it is the one that asks' })
  readonly isThis: boolean;

  constructor({ handle, agent, ip, createdAtMs, lastSeenMs }: SessionSummary, own: string | null) {
    this.id = handle;
    this.agent = agent;
    this.ip = ip;
    this.loggedInAt = new Date(createdAtMs).toISOString();
    this.lastSeenAt = new Date(lastSeenMs).toISOString();
    this.isThis = handle === own;
  }
}
