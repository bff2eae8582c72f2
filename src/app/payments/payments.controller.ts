import {
  Body,
  Controller,
  Header,
  HttpCode,
  HttpException,
  HttpStatus,
  NotFoundException,
  Param,
  Post,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RateLimit } from 'rookery/throttler';
import { ApiSameSite } from '../sessions/api-same-site.decorator.js';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { TryAgainException } from '../http/try-again.exception.js';
import { OrderIdParams } from '../orders/dto/order-id.params.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { PayOrderBody } from './dto/pay-order.body.js';
import { PaymentResponse } from './dto/payment.response.js';
import { OrderBeingPaidError, PaymentDeclinedError, PaymentOvertakenError } from './payment.errors.js';
import { PaymentsService } from './payments.service.js';
import { ProviderTimeoutError, ProviderUnavailableError } from './provider/provider.errors.js';

/** How soon to try again when nothing is known that would take longer. */
const SOON_MS = 1_000;
const NOBODY_KNOWS = 'Whether the order is paid is not known yet; try again, it is charged once at most';

@ApiTags('Orders')
@ApiRateLimited()
@Controller('orders/:id/pay')
export class PaymentsController {
  constructor(private readonly payments: PaymentsService) {}

  @ApiOperation({
    summary: 'Pay an order',
    description:
      'An order is charged once at most, however often it is paid: one that is paid already is answered with its payment. ' +
      'Try again after 409, 502, 503 and 504. Counted as a checkout.',
  })
  @ApiOkResponse({ type: PaymentResponse, description: 'The order is paid' })
  @ApiProblem(400, 'The id or a field of the body cannot be used; `errors` names it')
  @ApiProblem(402, 'The payment was declined; nothing was charged, and the order can be paid again')
  @ApiProblem(404, 'There is no such order')
  @ApiProblem(409, 'Somebody else is paying the order; `Retry-After` says when to try again')
  @ApiProblem(502, 'The payment provider failed; whether it has charged is known at the next try')
  @ApiProblem(503, 'Redis is out of reach; `Retry-After` says when to try again')
  @ApiProblem(504, 'The payment provider did not answer in time; whether it has charged is known at the next try')
  @Header('cache-control', 'no-store')
  @RateLimit('checkout')
  @HttpCode(HttpStatus.OK)
  @ApiSameSite()
  @Post()
  async pay(@Param() { id }: OrderIdParams, @Body() { paymentMethod }: PayOrderBody): Promise<PaymentResponse> {
    const payment = await this.payments.pay(id, paymentMethod).catch((error: unknown) => {
      throw toHttp(error);
    });
    if (payment === null) throw new NotFoundException('There is no such order');
    return payment;
  }
}

function toHttp(error: unknown): unknown {
  if (error instanceof PaymentDeclinedError) {
    return new HttpException(error.message, HttpStatus.PAYMENT_REQUIRED, { cause: error });
  }
  if (error instanceof OrderBeingPaidError) {
    return new TryAgainException(HttpStatus.CONFLICT, error.message, error.retryAfterMs, error);
  }
  if (error instanceof PaymentOvertakenError) {
    const detail = `${error.message}; try again to see what became of it`;
    return new TryAgainException(HttpStatus.CONFLICT, detail, SOON_MS, error);
  }
  if (error instanceof ProviderUnavailableError) {
    const detail = `The payment provider failed to answer. ${NOBODY_KNOWS}`;
    return new TryAgainException(HttpStatus.BAD_GATEWAY, detail, SOON_MS, error);
  }
  if (error instanceof ProviderTimeoutError) {
    const detail = `The payment provider has not answered in time. ${NOBODY_KNOWS}`;
    return new TryAgainException(HttpStatus.GATEWAY_TIMEOUT, detail, SOON_MS, error);
  }
  return error;
}
