import { Controller, Get, Header, HttpCode, HttpStatus, NotFoundException, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiSameSite } from '../sessions/api-same-site.decorator.js';
import { ProductIdParams } from '../catalogue/dto/product-id.params.js';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { ProductViewsResponse } from './dto/product-views.response.js';
import { ProductViewsService } from './product-views.service.js';

@ApiTags('Products')
@ApiProblem(400, 'The id cannot be used')
@ApiProblem(404, 'There is no such product')
@ApiProblem(503, 'Redis is out of reach; `Retry-After` says when to try again')
@ApiRateLimited()
@Controller('products/:id/views')
export class ProductViewsController {
  constructor(private readonly views: ProductViewsService) {}

  @ApiOperation({
    summary: 'Somebody looks at a product',
    description:
      'Answered once the view is journalled; it is in the database a second later. After a 503 it may have been counted, or not.',
  })
  @ApiAcceptedResponse({ description: 'The view counts, whatever happens to the service now' })
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiSameSite()
  @Post()
  async record(@Param() { id }: ProductIdParams): Promise<void> {
    if (!(await this.views.record(id))) {
      noSuchProduct(id);
    }
  }

  @ApiOperation({
    summary: 'How often a product was looked at',
    description: 'Every view that was answered with 202, those included that are not in the database yet.',
  })
  @ApiOkResponse({ type: ProductViewsResponse })
  @Header('cache-control', 'no-store')
  @Get()
  async count(@Param() { id }: ProductIdParams): Promise<ProductViewsResponse> {
    return { views: (await this.views.count(id)) ?? noSuchProduct(id) };
  }
}

function noSuchProduct(id: number): never {
  throw new NotFoundException(`There is no product ${id}`);
}
