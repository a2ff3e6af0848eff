import type { Client, Sink } from '../clients/client.js'

/** One record to each topic, all at once; none of the topics exists. */
export interface NewTopicsWork {
  readonly kind: 'newTopics'
  readonly topics: readonly string[]
  /** After it, records without an end are counted as such. ms */
  readonly deadlineMs: number
}

export interface NewTopicsResult {
  readonly delivered: number
  readonly failed: number
  readonly unended: number
  readonly seconds: number
  readonly error: string | undefined
  /** Whether each failure's message names its topic. */
  readonly errorsNameTopic: boolean
  readonly metadataRequests: number | undefined
}

const silent: Sink = { onDelivered: () => undefined, onFailed: () => undefined }
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const newTopics = async (
  open: (sink: Sink) => Promise<Client>,
  { topics, deadlineMs }: NewTopicsWork,
): Promise<NewTopicsResult> => {
  const client = await open(silent)
  await client.connect()
  const value = Buffer.from('the first record of a new topic')
  const failures: { topic: string; text: string }[] = []
  const ended = new Set<string>()
  let delivered = 0
  let last = performance.now()
  const start = last
  const sends = topics.map(topic =>
    client
      .send(topic, { key: undefined, value, headers: undefined })
      .then(
        () => delivered++,
        error => failures.push({ topic, text: message(error) }),
      )
      .then(() => {
        ended.add(topic)
        last = performance.now()
      }),
  )
  const deadline = new Promise(resolve => setTimeout(resolve, deadlineMs).unref())
  await Promise.race([Promise.all(sends), deadline])
  const unended = topics.length - delivered - failures.length
  if (unended > 0) last = performance.now()
  const [first] = failures
  const hanging = topics.find(topic => !ended.has(topic))
  const metadataRequests = await client.metadataRequests?.()
  // A client that waits for what can never end would not close: the process ends instead.
  if (unended === 0) await Promise.race([client.close().catch(() => undefined), deadline])
  return {
    delivered,
    failed: failures.length,
    unended,
    seconds: (last - start) / 1000,
    error: hanging === undefined ? first?.text : `no end of the send to ${hanging}`,
    metadataRequests,
    errorsNameTopic: failures.length > 0 && failures.every(({ topic, text }) => text.includes(topic)),
  }
}
