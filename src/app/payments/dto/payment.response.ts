import { ApiProperty } from '@nestjs/swagger';
import type { Payment } from '../payment.js';

/** A payment as the API shows it to who has paid. */
export class PaymentResponse implements Payment {
  @ApiProperty({ format: 'uuid' })
  readonly orderId!: string;

  @ApiProperty({ enum: ['paid'] })
  readonly status!: Payment['status'];

  @ApiProperty({ type: 'integer', description: 'In cents', example: 9_180 })
  readonly amountCents!: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  readonly currency!: string;

  @ApiProperty({ type: String, description: 'What the payment provider calls it', example: 'ch_1' })
  readonly chargeId!: string | null;

  @ApiProperty({ format: 'date-time', description: 'When it was paid' })
  readonly updatedAt!: string;
}
