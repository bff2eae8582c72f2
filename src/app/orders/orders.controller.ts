import { Body, ConflictException, Controller, Get, Header, NotFoundException, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RateLimit } from 'rookery/throttler';
import { ApiSameSite } from '../sessions/api-same-site.decorator.js';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { InvalidRequestException } from '../http/invalid-request.exception.js';
import { FieldProblem } from '../http/problem-details.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { OrderIdParams } from './dto/order-id.params.js';
import { OrderResponse } from './dto/order.response.js';
import { PlaceOrderBody } from './dto/place-order.body.js';
import { OutOfStockError, UnknownProductError } from './order.errors.js';
import { OrdersService } from './orders.service.js';

@ApiTags('Orders')
@ApiRateLimited()
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @ApiOperation({ summary: 'Check out', description: 'All of it is ordered, at the prices of now, or nothing.' })
  @ApiCreatedResponse({ type: OrderResponse })
  @ApiProblem(400, 'A field of the body cannot be used; `errors` names it')
  @ApiProblem(409, 'There are not so many in store')
  @Header('cache-control', 'no-store')
  @RateLimit('checkout')
  @ApiSameSite()
  @Post()
  async place(@Body() { lines }: PlaceOrderBody): Promise<OrderResponse> {
    try {
      return await this.orders.place(lines);
    } catch (error) {
      throw toHttp(error, lines);
    }
  }

  @ApiOperation({ summary: 'One order' })
  @ApiOkResponse({ type: OrderResponse })
  @ApiProblem(400, 'The id cannot be used')
  @ApiProblem(404, 'There is no such order')
  @Header('cache-control', 'no-store')
  @Get(':id')
  async find(@Param() { id }: OrderIdParams): Promise<OrderResponse> {
    const order = await this.orders.find(id);
    if (order === null) throw new NotFoundException('There is no such order');
    return order;
  }
}

function toHttp(error: unknown, lines: PlaceOrderBody['lines']): unknown {
  if (error instanceof OutOfStockError) return new ConflictException(error.message, { cause: error });
  if (error instanceof UnknownProductError) {
    const at = lines.findIndex(({ productId }) => productId === error.productId);
    return new InvalidRequestException([new FieldProblem(`lines.${at}.productId`, error.message)]);
  }
  return error;
}
