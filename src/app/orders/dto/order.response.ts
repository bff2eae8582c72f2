import { ApiProperty } from '@nestjs/swagger';
import { type Order, type OrderLine, PAYMENT_STATUSES, type PaymentStatus } from '../order.js';

/** So many of a product, as the API shows them. */
export class OrderLineResponse implements OrderLine {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly productId!: number;

  @ApiProperty({ type: 'integer', example: 2 })
  readonly quantity!: number;

  @ApiProperty({ type: 'integer', description: 'Of one, when it was ordered; in cents', example: 4_590 })
  readonly priceCents!: number;
}

/** An order as the API shows it. */
export class OrderResponse implements Order {
  @ApiProperty({ format: 'uuid', description: 'Who knows it may see the order' })
  readonly id!: string;

  @ApiProperty({ type: [OrderLineResponse], description: "In the order of the products' ids" })
  readonly lines!: readonly OrderLineResponse[];

  @ApiProperty({ type: 'integer', description: 'In cents', example: 9_180 })
  readonly totalCents!: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  readonly currency!: string;

  @ApiProperty({
    enum: PAYMENT_STATUSES,
    description: '`pending`: whether it is paid is not known yet, and known once it is paid again',
  })
  readonly paymentStatus!: PaymentStatus;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt!: string;
}
