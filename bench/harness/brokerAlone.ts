import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, decodeBody, encodeBody } from '../../src/protocol/api.js'
import { createTopicsApi } from '../../src/protocol/messages/createTopics.js'
import { LIST_OFFSETS_TIMESTAMP, listOffsetsApi } from '../../src/protocol/messages/listOffsets.js'
import { Reader } from '../../src/protocol/wire/reader.js'

/** The newest versions without compact fields. */
const CREATE_TOPICS_VERSION = 4
const LIST_OFFSETS_VERSION = 5
const POLL_MS = 5
const TOPICS_PER_REQUEST = 1000
const NO_EPOCH = -1
const TIMEOUT_MS = 60_000

/** One connection, one request at a time: no client between the clock and the broker. */
class RawConnection {
  #received: Buffer = Buffer.alloc(0)
  #correlationId = 0
  #wake: (() => void) | undefined

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
  }

  async ask<In, Out>(api: Api<unknown, In, Out, never>, version: number, request: In): Promise<Out> {
    const body = encodeBody(api, api.request, version, request)
    const clientId = Buffer.from('bench')
    const header = Buffer.alloc(14 + clientId.length)
    header.writeInt32BE(10 + clientId.length + body.length, 0)
    header.writeInt16BE(api.key, 4)
    header.writeInt16BE(version, 6)
    header.writeInt32BE(this.#correlationId++, 8)
    header.writeInt16BE(clientId.length, 12)
    clientId.copy(header, 14)
    this.socket.write(Buffer.concat([header, body]))
    const payload = await this.#frame()
    // Behind the correlation id.
    return decodeBody(api, api.response, version, new Reader(payload, 4))
  }

  async #frame(): Promise<Buffer> {
    while (this.#received.length < 4 || this.#received.length < 4 + this.#received.readInt32BE(0))
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    const end = 4 + this.#received.readInt32BE(0)
    const frame = this.#received.subarray(4, end)
    this.#received = this.#received.subarray(end)
    return frame
  }
}

/**
 * How long the broker takes by itself: one CreateTopics for all topics, then until each partition's leader answers
 * ListOffsets. s
 */
export const brokerAlone = async (bootstrap: string, topics: readonly string[]): Promise<number> => {
  const [host, port] = bootstrap.split(':')
  const socket = connect({ host: host!, port: Number(port), noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  try {
    const connection = new RawConnection(socket)
    const start = performance.now()
    const created = await connection.ask(createTopicsApi, CREATE_TOPICS_VERSION, {
      topics: topics.map(name => ({
        name,
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      })),
      timeoutMs: TIMEOUT_MS,
      validateOnly: false,
    })
    const refused = created.topics.find(each => each.errorCode !== 0)
    if (refused) throw new Error(`${refused.name} was not created: error ${refused.errorCode}`)
    let missing = [...topics]
    while (missing.length > 0) {
      const asked = missing.slice(0, TOPICS_PER_REQUEST)
      const listed = await connection.ask(listOffsetsApi, LIST_OFFSETS_VERSION, {
        replicaId: -1,
        isolationLevel: 0,
        topics: asked.map(name => ({
          name,
          partitions: [
            {
              partitionIndex: 0,
              currentLeaderEpoch: NO_EPOCH,
              timestamp: LIST_OFFSETS_TIMESTAMP.latest,
            },
          ],
        })),
      })
      const led = new Set(
        listed.topics.filter(each => each.partitions[0]?.errorCode === 0).map(each => each.name),
      )
      missing = missing.filter(name => !led.has(name))
      if (performance.now() - start > TIMEOUT_MS) throw new Error(`${missing.length} topics have no leader`)
      if (missing.length > 0) await sleep(POLL_MS)
    }
    return (performance.now() - start) / 1000
  } finally {
    socket.destroy()
  }
}
