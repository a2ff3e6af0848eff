import fc from 'fast-check'
import type { ResilientProducer } from 'kafkajs-resilient-producer'
import {
  dropAfterApply,
  dropBeforeApply,
  ERROR,
  errorCode,
  garbage,
  hang,
  hangAfterApply,
  partialAnswer,
  type StoredRecord,
  splitAnswer,
} from 'kafkajs-resilient-producer/testing'
import type { ProduceFault } from '../support/faults.js'
import { batchesIn } from '../support/sentBatches.js'
import { pass, turns, type World } from '../support/world.js'
import type { Recorded, Recorder } from './recorder.js'

export const BROKERS = 3
/** By name, how many partitions. `late` is created by the brokers when it is asked for. */
export const TOPICS: Readonly<Record<string, number>> = { many: 3, one: 1, plain: 2, late: 2 }
export const LATE = 'late'

/** What the commands know of the cluster: only what decides whether a command makes sense. */
export interface Model {
  readonly stopped: Set<number>
}

export interface Real {
  readonly world: World
  readonly producer: ResilientProducer
  readonly recorder: Recorder
  readonly flushes: { done: boolean; failed: unknown }[]
  readonly signals: AbortController[]
  /** The logs of topics that were deleted, each as it was then. */
  readonly oldLogs: StoredRecord[][]
  /** Ends the faults that no request has met. */
  readonly removers: (() => void)[]
}

type Command = fc.AsyncCommand<Model, Real>

/** How a record finds its partition. */
type RecordAppender = 'pinned' | 'keyed' | 'keyless'

interface Piece {
  readonly topic: string
  readonly appender: RecordAppender
  readonly partition: number
  readonly bytes: number
}

const headersOf = (record: Recorded) => ({ id: record.id })

const messageOf = ({ topic, appender, partition, bytes }: Piece, record: Recorded) => ({
  value: 'x'.repeat(bytes),
  headers: headersOf(record),
  ...(appender === 'pinned' ? { partition: partition % TOPICS[topic]! } : {}),
  ...(appender === 'keyed' ? { key: `key ${partition}` } : {}),
})

const command = (
  name: string,
  run: (real: Real, model: Model) => void | Promise<void>,
  check?: (model: Model) => boolean,
): Command => ({
  check: model => check?.(model) ?? true,
  run: async (model, real) => {
    await run(real, model)
    // Some commands follow each other in one turn of the loop, as calls of an application do.
  },
  toString: () => name,
})

const topic = fc.constantFrom(...Object.keys(TOPICS))
const piece: fc.Arbitrary<Piece> = fc.record({
  topic,
  appender: fc.constantFrom<RecordAppender>('pinned', 'pinned', 'keyed', 'keyless'),
  partition: fc.nat(5),
  bytes: fc.constantFrom(0, 1, 20, 200, 1500),
})

const send = piece.map(each =>
  command(
    `send(${each.topic}, ${each.appender} ${each.partition}, ${each.bytes})`,
    ({ producer, recorder }) => {
      const record = recorder.add(each.topic)
      recorder.follow(producer.send({ topic: each.topic, messages: [messageOf(each, record)] }), [record])
    },
  ),
)

/** Enough for several batches of one partition in flight. */
const burst = fc.tuple(piece, fc.integer({ min: 5, max: 25 })).map(([each, count]) =>
  command(`burst(${each.topic} ${each.partition}, ${count})`, ({ producer, recorder }) => {
    for (let i = 0; i < count; i++) {
      const record = recorder.add(each.topic)
      const message = messageOf({ ...each, appender: 'pinned', bytes: 10 }, record)
      recorder.follow(producer.send({ topic: each.topic, messages: [message] }), [record])
    }
  }),
)

const sendMany = fc.tuple(topic, fc.array(piece, { minLength: 2, maxLength: 12 })).map(([name, pieces]) =>
  command(`sendMany(${name}, ${pieces.length})`, ({ producer, recorder }) => {
    const records = pieces.map(() => recorder.add(name))
    const messages = pieces.map((each, i) => messageOf({ ...each, topic: name }, records[i]!))
    recorder.follow(producer.send({ topic: name, messages }), records)
  }),
)

const sendBatch = fc.array(piece, { minLength: 2, maxLength: 12 }).map(pieces =>
  command(`sendBatch(${pieces.length})`, ({ producer, recorder }) => {
    const byTopic = new Map<string, { record: Recorded; piece: Piece }[]>()
    for (const each of pieces) {
      const list = byTopic.get(each.topic) ?? []
      byTopic.set(each.topic, list)
      list.push({ piece: each, record: recorder.add(each.topic) })
    }
    const topicMessages = [...byTopic].map(([name, list]) => ({
      topic: name,
      messages: list.map(({ piece: each, record }) => messageOf(each, record)),
    }))
    recorder.follow(
      producer.sendBatch({ topicMessages }),
      [...byTopic.values()].flatMap(list => list.map(({ record }) => record)),
    )
  }),
)

const sendAbortable = fc.tuple(topic, fc.array(piece, { minLength: 1, maxLength: 6 })).map(([name, pieces]) =>
  command(`sendAbortable(${name}, ${pieces.length})`, ({ producer, recorder, signals }) => {
    const controller = new AbortController()
    signals.push(controller)
    const records = pieces.map(() => recorder.add(name))
    const messages = pieces.map((each, i) => messageOf({ ...each, topic: name }, records[i]!))
    recorder.follow(producer.send({ topic: name, messages, signal: controller.signal }), records)
  }),
)

const abort = fc.nat().map(at =>
  command(`abort(${at})`, ({ signals }) => {
    if (signals.length > 0) signals.splice(at % signals.length, 1)[0]!.abort(new Error('withdrawn'))
  }),
)

const enqueue = fc.array(piece, { minLength: 1, maxLength: 10 }).map(pieces =>
  command(`enqueue(${pieces.length})`, ({ producer, recorder }) => {
    for (const each of pieces) {
      const record = recorder.add(each.topic)
      producer.enqueue(each.topic, messageOf(each, record), (error, { partition, offset }) => {
        if (error === null) recorder.acknowledged(record, { partition, offset })
        else recorder.failed(record, error)
      })
    }
  }),
)

/** Answers for one of the request's partitions with an error, written or not. */
const someVerdict =
  (code: number, applied: boolean): ProduceFault =>
  async (request, next) => {
    const [target] = batchesIn(request.body)
    if (target === undefined) return next()
    const isTarget = (name: string, index: number) => name === target.topic && index === target.partition
    const response = await next(
      applied
        ? request.body
        : {
            ...request.body,
            topicData: request.body.topicData.map(each => ({
              ...each,
              partitionData: each.partitionData.filter(({ index }) => !isTarget(each.name, index)),
            })),
          },
    )
    if (response === null) return null
    const appended = response.responses
      .find(({ name }) => name === target.topic)
      ?.partitionResponses.find(({ index }) => index === target.partition)
    // What the leader itself refused stays refused.
    if (applied && appended?.errorCode !== ERROR.NONE) return response
    const refused = {
      index: target.partition,
      errorCode: code,
      baseOffset: applied ? (appended?.baseOffset ?? -1n) : -1n,
      logAppendTimeMs: -1n,
    }
    return {
      ...response,
      responses: response.responses.map(each =>
        each.name === target.topic
          ? {
              ...each,
              partitionResponses: [
                ...each.partitionResponses.filter(({ index }) => index !== target.partition),
                refused,
              ],
            }
          : each,
      ),
    }
  }

const faults: readonly (readonly [string, ProduceFault])[] = [
  ['dropBeforeApply', dropBeforeApply],
  ['dropAfterApply', dropAfterApply],
  ['dropAfterApply', dropAfterApply],
  ['hang', hang],
  ['hangAfterApply', hangAfterApply],
  ['partialAnswer', partialAnswer(9)],
  ['splitAnswer', splitAnswer(3)],
  ['garbage', garbage(Buffer.from('ffffffff00', 'hex'))],
  ['NOT_ENOUGH_REPLICAS', errorCode(ERROR.NOT_ENOUGH_REPLICAS)],
  ['NOT_LEADER', errorCode(ERROR.NOT_LEADER_OR_FOLLOWER)],
  ['NOT_LEADER after append', someVerdict(ERROR.NOT_LEADER_OR_FOLLOWER, true)],
  ['REQUEST_TIMED_OUT', someVerdict(ERROR.REQUEST_TIMED_OUT, false)],
  ['REQUEST_TIMED_OUT after append', someVerdict(ERROR.REQUEST_TIMED_OUT, true)],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', someVerdict(20, true)],
  ['UNKNOWN after append', someVerdict(-1, true)],
  ['INVALID_RECORD', someVerdict(87, false)],
  ['MESSAGE_TOO_LARGE', someVerdict(ERROR.MESSAGE_TOO_LARGE, false)],
  ['OUT_OF_ORDER', someVerdict(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER, false)],
  ['UNKNOWN_PRODUCER_ID', someVerdict(59, false)],
  [
    'record error',
    async (request, next) => {
      const [target] = batchesIn(request.body)
      const response = await someVerdict(87, false)(request, next)
      if (response === null || target === undefined) return response
      const recordErrors = [{ batchIndex: 0, batchIndexErrorMessage: 'the first one is bad' }]
      return {
        ...response,
        responses: response.responses.map(each => ({
          ...each,
          partitionResponses: each.partitionResponses.map(answer =>
            answer.errorCode === 87 ? { ...answer, recordErrors } : answer,
          ),
        })),
      }
    },
  ],
]

const fault = fc
  .tuple(fc.constantFrom(...faults), fc.integer({ min: 1, max: 3 }))
  .map(([[name, each], times]) =>
    command(`fault(${name}, ${times})`, ({ world }) => world.onNext(each, times)),
  )

const controlFault = fc
  .tuple(
    fc.constantFrom('Metadata' as const, 'InitProducerId' as const, 'ApiVersions' as const),
    fc.constantFrom<readonly [string, typeof hang]>(
      ['drop', dropBeforeApply],
      ['hang', hang],
      ['cut', partialAnswer(9)],
    ),
    fc.integer({ min: 1, max: 2 }),
  )
  .map(([api, [name, each], times]) =>
    command(`controlFault(${api} ${name}, ${times})`, ({ world, removers }) => {
      removers.push(world.cluster.on(api, each as never, { times }))
    }),
  )

const hide = fc.tuple(topic, fc.nat(BROKERS - 1)).map(([name, node]) =>
  command(`hideTopic(${name}, ${node})`, ({ world, removers }) => {
    world.cluster.hideTopic(name, node)
    removers.push(() => world.cluster.showTopic(name, node))
  }),
)

const show = fc
  .tuple(topic, fc.nat(BROKERS - 1))
  .map(([name, node]) =>
    command(`showTopic(${name}, ${node})`, ({ world }) => world.cluster.showTopic(name, node)),
  )

const exists = (world: World, name: string): boolean => world.cluster.topics.includes(name)

const place = fc.tuple(topic, fc.nat(5)).map(([name, at]) => ({ topic: name, partition: at % TOPICS[name]! }))

const moveLeader = fc.tuple(place, fc.nat(BROKERS - 1)).map(([{ topic: name, partition }, node]) =>
  command(
    `moveLeader(${name} ${partition}, ${node})`,
    ({ world }) => {
      if (exists(world, name)) world.cluster.moveLeader(name, partition, node)
    },
    model => !model.stopped.has(node),
  ),
)

const loseLeader = place.map(({ topic: name, partition }) =>
  command(`loseLeader(${name} ${partition})`, ({ world }) => {
    if (exists(world, name)) world.cluster.moveLeader(name, partition, -1)
  }),
)

const recreate = topic.map(name =>
  command(`recreate(${name})`, ({ world, oldLogs }) => {
    if (!exists(world, name)) return
    oldLogs.push(world.cluster.records(name))
    world.cluster.recreateTopic(name, { partitions: TOPICS[name]!, replicationFactor: BROKERS })
  }),
)

const stopBroker = fc.nat(BROKERS - 1).map(node =>
  command(
    `stopBroker(${node})`,
    async ({ world }, model) => {
      model.stopped.add(node)
      await world.cluster.stopBroker(node)
    },
    model => !model.stopped.has(node) && model.stopped.size < BROKERS - 1,
  ),
)

const startBroker = fc.nat(BROKERS - 1).map(node =>
  command(
    `startBroker(${node})`,
    async ({ world }, model) => {
      model.stopped.delete(node)
      await world.cluster.startBroker(node)
    },
    model => model.stopped.has(node),
  ),
)

const flush = fc.constant(
  command('flush', ({ producer, flushes }) => {
    const seen = { done: false, failed: undefined as unknown }
    flushes.push(seen)
    producer.flush().then(
      () => {
        seen.done = true
      },
      error => {
        seen.failed = error
      },
    )
  }),
)

const wait = fc
  .constantFrom(1, 10, 100, 1000, 3000, 8000, 40_000)
  .map(ms => command(`pass(${ms})`, () => pass(ms)))
const turn = fc.integer({ min: 1, max: 10 }).map(count => command(`turns(${count})`, () => turns(count)))

export const commands = (
  maxCommands: number,
  topics: 'stay' | 'are recreated' = 'stay',
  aborts: 'sometimes' | 'often' = 'sometimes',
) =>
  fc.commands(
    [
      ...(aborts === 'sometimes' ? [] : [sendAbortable, sendAbortable, sendAbortable, abort, abort, abort]),
      ...(topics === 'stay' ? [] : [recreate, recreate, recreate]),
      ...[send, send, burst, burst, sendMany, sendMany, sendBatch, enqueue, enqueue, sendAbortable, abort],
      ...[fault, fault, fault, moveLeader, moveLeader, loseLeader, stopBroker, startBroker, startBroker],
      ...[controlFault, hide, show, flush, wait, wait, turn, turn, turn],
    ],
    { maxCommands, size: 'max' },
  )
