import type { DeliveryClass } from '../batch/deliveryClass.js'
import type { FlushBarriers } from '../batch/flushBarriers.js'
import type { CallMoment } from '../waiting/waitLine.js'
import type { AppendContext } from './recordAppender.js'

/** Calls that come within this time share a moment. ms */
const SAME_MOMENT_MS = 1

/** What records have in common that come at the same time: shared, since there may be a million of them. */
export class CallMoments {
  private readonly flushBarriers: FlushBarriers
  private moment: CallMoment | undefined
  private context: AppendContext | undefined

  constructor(flushBarriers: FlushBarriers) {
    this.flushBarriers = flushBarriers
  }

  /** Of records that are taken at once: calls of one class share it. */
  contextOf(deliveryClass: DeliveryClass): AppendContext {
    const flushBarrier = this.flushBarriers.current
    const { context } = this
    if (context?.deliveryClass === deliveryClass && context.flushBarrier === flushBarrier) return context
    this.context = { deliveryClass, flushBarrier, startedAt: undefined }
    return this.context
  }

  /** Of records that wait. */
  momentOf(deliveryClass: DeliveryClass): CallMoment {
    const startedAt = performance.now()
    const flushBarrier = this.flushBarriers.current
    const { moment } = this
    const isSame =
      moment !== undefined &&
      moment.deliveryClass === deliveryClass &&
      moment.flushBarrier === flushBarrier &&
      startedAt - moment.startedAt < SAME_MOMENT_MS
    if (isSame) return moment
    this.moment = { deliveryClass, flushBarrier, startedAt, isPatient: false, lastIndex: -1 }
    return this.moment
  }
}
