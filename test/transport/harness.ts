import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { afterEach } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import type { TransportOptions } from '../../src/transport/index.js'
import { createTransport } from '../../src/transport/index.js'
import type { ControlTarget, ProduceExchange, Transport } from '../../src/transport/port.js'
import { FakeBroker, type FakeBrokerOptions, metadataAnswer, type ReceivedRequest } from './fakeBroker.js'

export interface LoggedLine {
  readonly level: number
  readonly namespace: string
  readonly message: string
}

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export const startBroker = async (options: FakeBrokerOptions = {}): Promise<FakeBroker> => {
  const broker = await FakeBroker.start(options)
  cleanups.push(() => broker.stop())
  return broker
}

export const openTransport = (
  brokers: KafkaConfig['brokers'],
  config: Partial<KafkaConfig> = {},
  options: TransportOptions = {},
) => {
  const events: { name: string; payload: Record<string, unknown> }[] = []
  const lines: LoggedLine[] = []
  const kafka = new Kafka({
    brokers,
    clientId: 'the-client',
    logLevel: logLevel.DEBUG,
    logCreator:
      () =>
      ({ namespace, level, log }) => {
        lines.push({ level, namespace, message: log.message })
      },
    ...config,
  })
  const transport = createTransport(kafka, {
    listener: {
      wants: () => true,
      emit: (name, payload) => events.push({ name, payload: payload as Record<string, unknown> }),
    },
    ...options,
  })
  cleanups.push(() => transport.close())
  return { kafka, transport, events, lines }
}

/** A control request to any broker (or the one given) that names no topic. */
export const askMetadata = (
  transport: Transport,
  target: ControlTarget = { anyBut: undefined },
  timeoutMs = 20_000,
) =>
  transport.control(metadataApi, () => ({ topics: [], allowAutoTopicCreation: false }), { target, timeoutMs })

/** Takes the next Metadata request and answers it. */
export const answerMetadata = async (broker: FakeBroker): Promise<ReceivedRequest> => {
  const request = await broker.next(metadataApi)
  request.answer(metadataApi, metadataAnswer())
  return request
}

export const at = (nodeId: number, { port }: { port: number }) => ({
  nodeId,
  host: '127.0.0.1',
  port,
  rack: null,
})

const deferred = () => {
  let resolve: () => void = () => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Records how one produce request ends. */
export const recordExchange = (log: string[], name = '') => {
  const { promise: ended, resolve: end } = deferred()
  const { promise: released, resolve: release } = deferred()
  const prefix = name === '' ? '' : `${name} `
  const result = {
    payload: undefined as Buffer | null | undefined,
    error: undefined as Error | undefined,
    sent: undefined as boolean | undefined,
  }
  const exchange: ProduceExchange = {
    onResponse(payload) {
      result.payload = payload
      log.push(`${prefix}response`)
      end()
    },
    onFailure(error, sent) {
      result.error = error
      result.sent = sent
      log.push(`${prefix}failure`)
      end()
    },
    onBuffersReleased() {
      log.push(`${prefix}released`)
      release()
    },
  }
  return { exchange, result, ended, released }
}

/** Counts the timers that were made since, and neither cleared nor run out. */
export const trackTimers = () => {
  const live = new Set<unknown>()
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis
  const restore = () => Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval })
  Object.assign(globalThis, {
    setTimeout(run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setTimeout(() => {
        live.delete(timer)
        run(...args)
      }, ms)
      live.add(timer)
      return timer
    },
    setInterval(run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setInterval(run, ms, ...args)
      live.add(timer)
      return timer
    },
    clearTimeout(timer: NodeJS.Timeout | undefined) {
      live.delete(timer)
      clearTimeout(timer)
    },
    clearInterval(timer: NodeJS.Timeout | undefined) {
      live.delete(timer)
      clearInterval(timer)
    },
  })
  cleanups.push(async () => restore())
  return live
}
