import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';

export class PayOrderBody {
  @ApiProperty({
    example: 'tok_visa',
    minLength: 3,
    maxLength: 255,
    description: "The payment provider's token for a card or an account; never the number of one",
  })
  @Matches(/^[A-Za-z][\w-]{2,254}$/, {
    message: "paymentMethod must be one of the payment provider's tokens, such as tok_visa",
  })
  readonly paymentMethod!: string;
}
