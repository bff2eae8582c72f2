import { Injectable } from '@nestjs/common';
import { CatalogueService } from '../catalogue/catalogue.service.js';
import type { Order, OrderRequest } from './order.js';
import { OrderRepository } from './order.repository.js';

@Injectable()
export class OrdersService {
  constructor(
    private readonly orders: OrderRepository,
    private readonly catalogue: CatalogueService,
  ) {}

  /** The order, or null when there is none. */
  async find(id: string): Promise<Order | null> {
    return this.orders.find(id);
  }

  /** See {@link OrderRepository.place}. Once it has resolved, readers of the products see what is left in store. */
  async place(request: OrderRequest): Promise<Order> {
    const order = await this.orders.place(request);
    await this.catalogue.stockChanged(order.lines.map(({ productId }) => productId));
    return order;
  }
}
