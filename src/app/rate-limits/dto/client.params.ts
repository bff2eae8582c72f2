import { ApiProperty } from '@nestjs/swagger';
import { IsIP } from 'class-validator';

export class ClientParams {
  @ApiProperty({ description: 'Its address; one of IPv6 stands for its /64', example: '203.0.113.7' })
  @IsIP()
  readonly client!: string;
}
