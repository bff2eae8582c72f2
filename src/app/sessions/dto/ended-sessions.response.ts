import { ApiProperty } from '@nestjs/swagger';

/** How many sessions were ended. */
export class EndedSessionsResponse {
  @ApiProperty({ type: 'integer', example: 3 })
  readonly ended: number;

  constructor(ended: number) {
    this.ended = ended;
  }
}
