import { Kafka, type Logger } from 'kafkajs'
import { expect, test } from 'vitest'
import { guardedLogger } from '../../src/logging/guardedLogger.js'

const thrower = (): never => {
  throw new Error('log transport is gone')
}
const LEVELS = ['error', 'warn', 'info', 'debug'] as const

test('a logger that throws throws at nobody, nor does a namespace of it', () => {
  const kafka = new Kafka({ brokers: ['127.0.0.1:1'], logLevel: 5, logCreator: () => thrower })
  const logger = guardedLogger(kafka.logger())
  for (const level of LEVELS) {
    expect(() => logger[level]('a line')).not.toThrow()
    expect(() => logger.namespace('Producer')[level]('a line', { topic: 't' })).not.toThrow()
  }
})

test('a rejected promise of a logger is nobody’s', async () => {
  let returned = 0
  const rejects = (): Promise<never> => {
    returned++
    return Promise.reject(new Error('no'))
  }
  const logger = guardedLogger({
    error: rejects,
    warn: rejects,
    info: rejects,
    debug: rejects,
  } as unknown as Logger)
  for (const level of LEVELS) logger[level]('a line')
  await new Promise(resolve => setImmediate(resolve))
  expect(returned).toBe(LEVELS.length)
})

test('what the logger writes is what was said, at the level that was set', () => {
  const lines: unknown[] = []
  const kafka = new Kafka({
    brokers: ['127.0.0.1:1'],
    logLevel: 2,
    logCreator: () => entry => lines.push([entry.label, entry.namespace, entry.log.message, entry.log.topic]),
  })
  const logger = guardedLogger(kafka.logger().namespace('Producer'))
  logger.warn('a line', { topic: 't' })
  logger.info('not at this level')
  logger.setLogLevel(4)
  logger.info('now at this level')
  expect(lines).toEqual([
    ['WARN', 'Producer', 'a line', 't'],
    ['INFO', 'Producer', 'now at this level', undefined],
  ])
})
