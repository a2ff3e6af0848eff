import { expect, test } from 'vitest'
import type { ClusterSource } from '../kafka/cluster/types.js'
import { chooseKafka, describeChoice, type Means } from './choose.js'

const docker: ClusterSource = { kind: 'docker', image: 'cp-kafka:8' }
const local: ClusterSource = { kind: 'local', version: '4.2.0' }

function machine(has: { docker?: true; java?: true; startsOn?: string }): Means & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    findDocker: async () => {
      asked.push('docker')
      return has.docker ? { source: docker } : { reason: 'no engine' }
    },
    findLocal: async () => {
      asked.push('local')
      return has.java ? { source: local } : { reason: 'no Java' }
    },
    start: async ({ kind }) => {
      asked.push(`start ${kind}`)
      if (has.startsOn && has.startsOn !== kind) throw new Error('out of memory')
      return [`${kind}:9092`]
    },
    reach: async ([first]) => {
      if (first === 'gone:1') throw new Error('no broker answers')
    },
  }
}

test('Docker comes before a local process, which is not even looked for then', async () => {
  const means = machine({ docker: true, java: true })
  const kafka = await chooseKafka({}, 7, means)
  expect(kafka).toEqual({
    shared: { kind: 'docker', bootstrap: ['docker:9092'] },
    source: docker,
    reasons: [],
    owner: 7,
  })
  expect(means.asked).toEqual(['docker', 'start docker'])
})

test('without Docker a local process is used, and the reason is kept', async () => {
  const kafka = await chooseKafka({}, 7, machine({ java: true }))
  expect(kafka.shared).toEqual({ kind: 'local', bootstrap: ['local:9092'] })
  expect(kafka.reasons).toEqual(['Docker: no engine'])
})

test('a broker that does not start in Docker is tried as a process', async () => {
  const kafka = await chooseKafka({}, 7, machine({ docker: true, java: true, startsOn: 'local' }))
  expect(kafka.source).toEqual(local)
  expect(kafka.reasons).toEqual(['Docker: the broker did not start: out of memory'])
})

test('with neither, the embedded cluster remains, and the run says what it leaves out', async () => {
  const kafka = await chooseKafka({}, 7, machine({}))
  expect(kafka).toMatchObject({ shared: undefined, source: undefined })
  expect(describeChoice(kafka)).toBe(
    [
      'Real Kafka: none, the embedded cluster only',
      '  not used: Docker: no engine',
      '  not used: Local process: no Java',
      '  not run: the tests that need a real Kafka; they are reported as skipped',
    ].join('\n'),
  )
})

test('KAFKA_BROKERS is shared, and clusters of a suite still come from the machine', async () => {
  const means = machine({ java: true })
  const kafka = await chooseKafka({ KAFKA_BROKERS: 'a:1,b:2' }, 7, means)
  expect(kafka.shared).toEqual({ kind: 'external', bootstrap: ['a:1', 'b:2'] })
  expect(kafka.source).toEqual(local)
  expect(means.asked).not.toContain('start local')
})

test('KAFKA_BROKERS that do not answer fail the run instead of being passed over', async () => {
  const choice = chooseKafka({ KAFKA_BROKERS: 'gone:1' }, 7, machine({ docker: true }))
  await expect(choice).rejects.toThrow('KAFKA_BROKERS=gone:1: no broker answers')
})

test.each([
  ['docker', { java: true }, 'KAFKA_TEST_BROKER=docker: Docker: no engine'],
  ['local', { docker: true }, 'KAFKA_TEST_BROKER=local: Local process: no Java'],
  ['podman', {}, 'KAFKA_TEST_BROKER=podman: not one of auto, docker, local, embedded'],
] as const)('KAFKA_TEST_BROKER=%s fails the run where it cannot be had', async (kind, has, message) => {
  await expect(chooseKafka({ KAFKA_TEST_BROKER: kind }, 7, machine(has))).rejects.toThrow(message)
})

test('KAFKA_TEST_BROKER=embedded looks for nothing', async () => {
  const means = machine({ docker: true, java: true })
  expect((await chooseKafka({ KAFKA_TEST_BROKER: 'embedded' }, 7, means)).source).toBeUndefined()
  expect(means.asked).toEqual([])
})
