import { expect, test } from 'vitest'
import { run } from '../../src/cli/program.js'
import { testIo } from '../cli/support/io.js'
import { describeKafka, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics } from './support/admin.js'

const doctor = async (broker: TestBroker, ...argv: string[]) => {
  const io = testIo()
  const code = await run(['doctor', '-b', broker.bootstrap.join(','), ...argv], '1.2.3', io)
  return { code, out: io.stdout.text, err: io.stderr.text }
}

describeKafka('the command doctor', { config: { 'auto.create.topics.enable': 'false' } }, broker => {
  test('knows all there is to know of a cluster, its clock too, and finds it sound', async () => {
    const topic = uniqueTopic('sound')
    await createTopics(broker, { topic, numPartitions: 2 })
    const { code, out, err } = await doctor(broker, '--topic', topic)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).not.toMatch(/^(unknown|warning|PROBLEM)/m)
    for (const line of [
      'is reached at the address it advertises',
      'topics are not created by use',
      `${topic} has 2 partitions, each with a leader`,
      'the producer may be idempotent',
      'differ by less than 5.0 s',
    ])
      expect(out).toContain(line)
  })

  test('tells what becomes of a send to a topic that is not there', async () => {
    const { code, out } = await doctor(broker, '--topic', uniqueTopic('missing'))
    expect(code).toBe(1)
    expect(out).toMatch(/PROBLEM missing\S* does not exist, .*TopicCreationDisabledError/)
  })
})
