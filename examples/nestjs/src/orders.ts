import { Controller } from '@nestjs/common'
import { EventPattern, MessagePattern } from '@nestjs/microservices'

export interface Order {
  readonly id: string
  readonly items: readonly { readonly price: number; readonly count: number }[]
}

/** What the service does with what comes by Kafka. */
@Controller()
export class OrdersController {
  static readonly placed: string[] = []

  /** Request and reply. */
  @MessagePattern('orders.price')
  price(order: Order): { id: string; total: number } {
    return { id: order.id, total: order.items.reduce((sum, { price, count }) => sum + price * count, 0) }
  }

  /** An event. */
  @EventPattern('orders.placed')
  placed(order: Order): void {
    OrdersController.placed.push(order.id)
  }
}
