import { ApiProperty } from '@nestjs/swagger';

/** The session of whoever asks. */
export class SessionResponse {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly userId!: number;

  @ApiProperty({ example: 'Ada' })
  readonly name!: string;

  @ApiProperty({ format: 'date-time' })
  readonly loggedInAt!: string;

  @ApiProperty({
    format: 'date-time',
    description: 'When it ends at the latest. It ends sooner when it is not used for half an hour',
  })
  readonly endsAt!: string;
}
