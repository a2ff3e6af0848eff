import { NonRetriableError } from './bases.js'

/** The consumer was disconnected while its `subscribe` waited for topics. */
export class ConsumerDisconnectedError extends NonRetriableError {
  static override readonly name: string = 'ConsumerDisconnectedError'

  constructor(topics: readonly string[]) {
    super(
      `The consumer was disconnected while its subscription waited for ${topics.map(each => JSON.stringify(each)).join(', ')}. ` +
        'Subscribe again after connect().',
    )
  }
}
