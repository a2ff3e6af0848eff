import type { ProduceLink } from '../../transport/port.js'
import type { InFlightRequest } from './inFlightRequest.js'
import type { RequestSize } from './requestSize.js'

/** How a request ended without an answer. */
export interface LostRequest {
  readonly link: ProduceLink
  readonly request: InFlightRequest
  /** Whether the broker was working on it: it reads a connection's requests one after the other. */
  readonly isHead: boolean
  /** Whether a part of it may have reached the broker. */
  readonly sent: boolean
  readonly error: Error
}

/** Which connections a broker cut at a request that may have been too large for it. */
export class RequestCuts {
  private readonly size: RequestSize
  /** The last connection that ended so, and whether at a request that may have been too large. */
  private judged: ProduceLink | undefined
  private isSuspect = false
  /** Closed here, for the broker's silence. */
  private givenUp: ProduceLink | undefined

  constructor(size: RequestSize) {
    this.size = size
  }

  gaveUp(link: ProduceLink | undefined): void {
    this.givenUp = link
  }

  /**
   * Takes the requests of a connection that has ended, the oldest first.
   *
   * @returns whether the request is retried in smaller ones, so that this was no attempt: also for what stood behind the one that was cut
   */
  lost({ link, request, isHead, sent, error }: LostRequest, now: number): boolean {
    const isCut = sent && error.name === 'KafkaJSConnectionError' && this.givenUp !== link
    // The first lost request is the one that the broker was working on.
    if (isHead && isCut && this.judged !== link) {
      const { bytes, inFlightBatches } = request
      this.judged = link
      this.isSuspect = this.size.cut(bytes, inFlightBatches.length, now)
    }
    return this.judged === link && this.isSuspect
  }
}
