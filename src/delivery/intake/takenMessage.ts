import type { IHeaders, Message } from 'kafkajs'

type Data = Message['value']

/**
 * A message as the producer keeps it. Each field of the caller's object was read once, so that the record that is written is the one
 * that was checked, whatever an accessor or a proxy answers the next time and whatever the caller changes later.
 */
export class TakenMessage {
  key: Data | undefined
  value: Data
  partition: number | undefined
  headers: IHeaders | undefined
  timestamp: string | undefined

  constructor(
    key: Data | undefined,
    value: Data,
    partition: number | undefined,
    headers: IHeaders | undefined,
    timestamp: string | undefined,
  ) {
    this.key = key
    this.value = value
    this.partition = partition
    this.headers = headers
    this.timestamp = timestamp
  }
}

/** One that was encoded, for the next call: a quarter of what `enqueue` allocates for a record is its message. */
let spare: TakenMessage | undefined

/** As `new TakenMessage`, for a message that is most likely encoded at once. */
export const takenMessage = (
  key: Data | undefined,
  value: Data,
  partition: number | undefined,
  headers: IHeaders | undefined,
  timestamp: string | undefined,
): TakenMessage => {
  const taken = spare
  if (taken === undefined) return new TakenMessage(key, value, partition, headers, timestamp)
  // A call that is made before this one is over, as by a logger that writes to Kafka, gets another.
  spare = undefined
  taken.key = key
  taken.value = value
  taken.partition = partition
  taken.headers = headers
  taken.timestamp = timestamp
  return taken
}

/** The message is encoded, and nobody keeps it: the next call may have the object. */
export const reuse = (message: object): void => {
  if (!(message instanceof TakenMessage)) return
  // Kept, they would hold the caller's bytes until the next call.
  message.key = undefined
  message.value = null
  message.headers = undefined
  spare = message
}
