import {
  Body,
  ConflictException,
  Controller,
  Get,
  NotFoundException,
  Param,
  Put,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CacheResponse, CacheStatusInterceptor } from 'rookery/cache';
import { RateLimit } from 'rookery/throttler';
import { ApiSameSite } from '../sessions/api-same-site.decorator.js';
import { ApiProblem } from '../http/api-problem.decorator.js';
import { InvalidRequestException } from '../http/invalid-request.exception.js';
import { FieldProblem } from '../http/problem-details.js';
import { ApiRateLimited } from '../rate-limits/api-rate-limited.decorator.js';
import { COST_OF_A_SEARCH } from '../rate-limits/rate-limit-policies.js';
import { PRODUCT_PAGES } from './catalogue.cache.js';
import { StaleProductError, UnknownReferenceError } from './catalogue.errors.js';
import { CatalogueService } from './catalogue.service.js';
import { ListProductsQuery } from './dto/list-products.query.js';
import { ProductIdParams } from './dto/product-id.params.js';
import { ProductPageResponse, ProductResponse } from './dto/product.response.js';
import { SearchProductsQuery } from './dto/search-products.query.js';
import { UpdateProductBody } from './dto/update-product.body.js';

@ApiTags('Products')
@ApiProblem(400, 'A parameter or a field of the body cannot be used; `errors` names it')
@ApiRateLimited()
@Controller('products')
export class ProductsController {
  constructor(private readonly catalogue: CatalogueService) {}

  @ApiOperation({
    summary: 'One page of products',
    description:
      'A page beyond the end has no items. Pages are cached until a product in them changes; ' +
      'send the `ETag` back as `If-None-Match`, and what has not changed is not sent again.',
  })
  @ApiOkResponse({
    type: ProductPageResponse,
    headers: {
      etag: { description: 'Changes with the page', schema: { type: 'string' } },
      'x-cache': {
        description: 'Where it came from; `bypass` for a page that is not cached',
        schema: { type: 'string', enum: ['hit', 'miss', 'bypass'] },
      },
    },
  })
  @ApiResponse({ status: 304, description: 'The page is still the one that the client has' })
  @CacheResponse(PRODUCT_PAGES)
  @Get()
  async list(@Query() query: ListProductsQuery): Promise<ProductPageResponse> {
    return this.catalogue.list(query);
  }

  @ApiOperation({
    summary: 'Products by words',
    description: `Those with the words in their name or description, the best first. One search counts as ${COST_OF_A_SEARCH} requests.`,
  })
  @ApiOkResponse({ type: ProductPageResponse })
  @RateLimit('burst', { cost: COST_OF_A_SEARCH })
  @RateLimit('sustained', { cost: COST_OF_A_SEARCH })
  @Get('search')
  async search(@Query() query: SearchProductsQuery): Promise<ProductPageResponse> {
    return this.catalogue.search(query);
  }

  @ApiOperation({ summary: 'One product', description: 'Cached for ten minutes, or until it is changed.' })
  @ApiOkResponse({
    type: ProductResponse,
    headers: { 'x-cache': { description: 'Where it came from', schema: { type: 'string', enum: ['hit', 'miss'] } } },
  })
  @ApiProblem(404, 'There is no such product')
  @UseInterceptors(CacheStatusInterceptor)
  @Get(':id')
  async find(@Param() { id }: ProductIdParams): Promise<ProductResponse> {
    return (await this.catalogue.find(id)) ?? noSuchProduct(id);
  }

  @ApiOperation({
    summary: 'Change a product',
    description: 'Its next reader sees the change, and so do the readers of every list.',
  })
  @ApiOkResponse({ type: ProductResponse })
  @ApiProblem(404, 'There is no such product')
  @ApiProblem(409, 'The product is no longer at the version that the change was made from')
  @ApiSameSite()
  @Put(':id')
  async update(
    @Param() { id }: ProductIdParams,
    @Body() { version, ...change }: UpdateProductBody,
  ): Promise<ProductResponse> {
    try {
      return (await this.catalogue.update(id, change, version)) ?? noSuchProduct(id);
    } catch (error) {
      throw toHttp(error);
    }
  }
}

function noSuchProduct(id: number): never {
  throw new NotFoundException(`There is no product ${id}`);
}

function toHttp(error: unknown): unknown {
  if (error instanceof StaleProductError) {
    return new ConflictException(error.message, { cause: error });
  }
  if (error instanceof UnknownReferenceError) {
    return new InvalidRequestException([new FieldProblem(error.field, error.message)]);
  }
  return error;
}
