import { CompressionTypes, type Logger, type RecordMetadata } from 'kafkajs'
import { beforeEach, describe, expect, test } from 'vitest'
import type { DeliveryClass } from '../../../src/delivery/batch/deliveryClass.js'
import { SingleSend } from '../../../src/delivery/calls/singleSend.js'
import type { ProducerIds } from '../../../src/delivery/idempotence/producerIds.js'
import { Wiring } from '../../../src/delivery/wiring.js'
import type { TopicView } from '../../../src/metadata/cache/view.js'
import { silentObserver } from '../../../src/metrics/observer.js'
import { encodeBody } from '../../../src/protocol/api.js'
import { ERROR } from '../../../src/protocol/errorCodes.js'
import { produceApi } from '../../../src/protocol/messages/produce.js'
import type { TopicDirectory } from '../../../src/topics/index.js'
import type { ProduceExchange, ProduceLink, Transport } from '../../../src/transport/port.js'
import { WaitRegistry } from '../../../src/waits/registry.js'
import { turns } from '../support/world.js'

/*
 * A socket reads the buffers of a write for as long as it likes: until it has told that it is done with them, they must
 * not change, whatever has become of their records meanwhile.
 */
const VERSION = 9

interface Written {
  readonly chunks: readonly Buffer[]
  /** As it was when it was written. */
  readonly copy: Buffer
  readonly exchange: ProduceExchange
}

/** A connection that does nothing by itself. */
class ScriptedLink implements ProduceLink {
  readonly nodeId = 0
  readonly produceVersion = VERSION
  isOpen = true
  readonly needsPreparation = false
  readonly throttledForMs = 0
  onClosed: ((error: Error) => void) | undefined
  readonly written: Written[] = []

  prepare(): Promise<void> {
    return Promise.resolve()
  }

  throttle(): void {}

  produce(_version: number, chunks: readonly Buffer[], _acks: number, exchange: ProduceExchange): void {
    this.written.push({ chunks, copy: Buffer.concat(chunks), exchange })
  }

  /** The connection is gone; what it wrote is not released yet. */
  destroy(error: Error): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const { exchange } of this.written) exchange.onFailure(error, true)
    this.onClosed?.(error)
  }
}

const view: TopicView = {
  name: 't',
  topicId: '1'.repeat(32),
  partitions: [{ index: 0, leader: 0, leaderEpoch: 0 }],
  available: [0],
  usedAt: 0,
  fetchedAt: 0,
}
const logger = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger
const unsequenced: DeliveryClass = {
  acks: -1,
  ackTimeoutMs: 1000,
  compressor: undefined,
  sequenced: false,
  transactional: false,
}

let links: ScriptedLink[]
let engine: Wiring
beforeEach(() => {
  links = []
  const transport = {
    isAlive: async () => true,
    openProduceLink: async () => {
      const link = new ScriptedLink()
      links.push(link)
      return link
    },
  } as unknown as Transport
  const directory = {
    topic: () => view,
    resolve: async () => view,
    release() {},
    refreshLeaders() {},
    learnLeader: () => false,
    subscribe: () => () => {},
    waitingTopics: 0,
  } as unknown as TopicDirectory
  engine = new Wiring(
    {
      batchLimits: { bytes: 100_000, records: 1000 },
      lingerMs: 0,
      requestBytes: 1_000_000,
      requestTimeoutMs: 30_000,
      bufferBytes: 1_000_000,
      maxBlockMs: 1000,
      deliveryTimeoutMs: 30_000,
      maxInFlightPerBroker: 5,
      retries: Infinity,
      retryBackoff: { minMs: 1, maxMs: 1, factor: 1 },
      metadataMaxIdleMs: 300_000,
      createPartitioner: undefined,
    },
    {
      transport,
      directory,
      producerIds: { current: undefined, renew() {}, onRenewed: undefined } as unknown as ProducerIds,
      observer: silentObserver,
      waits: new WaitRegistry(),
      logger,
      onUnownedFailure() {},
      random: () => 0.5,
    },
  )
})

const send = (value: string, deliveryClass = unsequenced): Promise<RecordMetadata[]> => {
  const sent = new Promise<RecordMetadata[]>((resolve, reject) => {
    engine.admission.submit(
      engine.registry.partitionsOf('t'),
      [{ value }],
      new SingleSend(resolve, reject),
      deliveryClass,
    )
  })
  sent.catch(() => {})
  return sent
}

/** A flexible response's header ends with them. */
const NO_HEADER_TAGS = Buffer.of(0)

const answer = (errorCode: number): Buffer =>
  Buffer.concat([
    NO_HEADER_TAGS,
    encodeBody(produceApi, produceApi.response, VERSION, {
      responses: [
        {
          name: 't',
          partitionResponses: [
            { index: 0, errorCode, baseOffset: 0n, logAppendTimeMs: -1n, logStartOffset: 0n },
          ],
        },
      ],
      throttleTimeMs: 0,
    }),
  ])

/** Everything that a socket may still read is as it was written. */
const expectUnchanged = (written: readonly Written[]) => {
  for (const { chunks, copy } of written) expect(Buffer.concat(chunks).equals(copy)).toBe(true)
}

const value = (letter: string) => letter.repeat(9000)

/** Sends records of the same sizes, which would be given the buffers that are free. */
const reuse = async () => {
  for (const letter of ['x', 'y', 'z']) send(value(letter))
  await turns()
}

describe('buffers that a socket may still read', () => {
  test('are not used again after an acknowledgement', async () => {
    const sent = send(value('a'))
    await turns()
    const [first] = links[0]!.written
    first!.exchange.onResponse(answer(ERROR.NONE))
    await sent
    // The record has ended, and is counted all the same.
    expect(engine.budget.records).toBe(1)
    await reuse()
    expectUnchanged(links[0]!.written)
    first!.exchange.onBuffersReleased()
    expect(engine.budget.records).toBe(3)
    engine.close()
  })

  test('are not used again after the connection is gone and the record was delivered on another', async () => {
    const sent = send(value('a'))
    await turns()
    links[0]!.destroy(new Error('gone'))
    for (let i = 0; links.length < 2 || links[1]!.written.length === 0; i++) {
      if (i > 1000) throw new Error('it is not sent again')
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    const [second] = links[1]!.written
    second!.exchange.onResponse(answer(ERROR.NONE))
    second!.exchange.onBuffersReleased()
    await sent
    expect(engine.budget.records).toBe(1)
    await reuse()
    expectUnchanged([...links[0]!.written, ...links[1]!.written.slice(1)])
    links[0]!.written[0]!.exchange.onBuffersReleased()
    expect(engine.budget.records).toBe(3)
    engine.close()
  })

  test('are not used again when a batch is split', async () => {
    const sends = [send(value('a')), send(value('b'))]
    await turns()
    const [whole] = links[0]!.written
    whole!.exchange.onResponse(answer(ERROR.MESSAGE_TOO_LARGE))
    await turns()
    const parts = links[0]!.written.slice(1)
    expect(parts).toHaveLength(1)
    await reuse()
    parts[0]!.exchange.onResponse(answer(ERROR.NONE))
    await turns()
    links[0]!.written.at(-1)!.exchange.onResponse(answer(ERROR.NONE))
    await Promise.all(sends)
    await reuse()
    expectUnchanged(links[0]!.written)
    engine.close()
  })

  test('are not used again when the producer has rejected their records', async () => {
    const sent = send(value('a'))
    await turns()
    engine.close()
    await expect(sent).rejects.toMatchObject({ name: 'ProducerClosedError', outcome: 'unknown' })
    expect(engine.pool.take(9500).buffer).not.toBe(links[0]!.written[0]!.chunks[1]!.buffer)
    expectUnchanged(links[0]!.written)
    expect(engine.budget.records).toBe(1)
    links[0]!.written[0]!.exchange.onBuffersReleased()
    expect(engine.budget.records).toBe(0)
  })

  test('that a codec reads are not used again before it is done', async () => {
    let finish: (compressed: Buffer) => void = () => {}
    let seen: Buffer | undefined
    const compressor = {
      attributes: CompressionTypes.GZIP,
      compress: (body: Buffer) => {
        seen = body
        return new Promise<Buffer>(resolve => {
          finish = resolve
        })
      },
    }
    const sent = send(value('a'), { ...unsequenced, compressor } as unknown as DeliveryClass)
    await turns()
    const copy = Buffer.from(seen!)
    engine.close()
    await expect(sent).rejects.toMatchObject({ name: 'ProducerClosedError', outcome: 'not-written' })
    expect(engine.pool.take(9500).buffer).not.toBe(seen!.buffer)
    expect(seen!.equals(copy)).toBe(true)
    expect(engine.budget.records).toBe(1)
    finish(Buffer.from('compressed'))
    await turns()
    expect(engine.budget.records).toBe(0)
  })
})

test('an answer to a request that has ended changes nothing', async () => {
  const sent = send(value('a'))
  await turns()
  const [first] = links[0]!.written
  first!.exchange.onFailure(new Error('gone'), false)
  first!.exchange.onResponse(answer(ERROR.NONE))
  first!.exchange.onFailure(new Error('again'), true)
  first!.exchange.onBuffersReleased()
  engine.close()
  // Nothing had left, so nothing was written.
  await expect(sent).rejects.toMatchObject({
    name: 'ProducerClosedError',
    outcome: 'not-written',
    attempts: 1,
  })
  expect(engine.budget.records).toBe(0)
})
