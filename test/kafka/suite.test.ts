import kafkajs, { type Kafka } from 'kafkajs'
import { expect, test } from 'vitest'
import { describeEmbedded, forEachBroker, uniqueTopic } from './suite.js'

forEachBroker('what a suite is given', { real: 'shared' }, broker => {
  test("is a broker that kafkajs's own client reaches", async () => {
    const topic = uniqueTopic('suite')
    const admin = broker.helper().admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    await admin.disconnect()
    expect(topics[0]?.partitions).toHaveLength(2)
  })
})

forEachBroker(
  'a suite with settings',
  { real: { config: { 'auto.create.topics.enable': 'false' } } },
  broker => {
    test('has them on either kind', async () => {
      const admin = broker.helper().admin()
      await admin.connect()
      const { controller } = await admin.describeCluster()
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name: String(controller ?? 0) }],
      })
      await admin.disconnect()
      const entry = resources[0]?.configEntries.find(
        ({ configName }) => configName === 'auto.create.topics.enable',
      )
      expect(entry?.configValue).toBe('false')
    })
  },
)

describeEmbedded('the journal of a suite', {}, broker => {
  const askForAll = async (kafka: Kafka) => {
    const admin = kafka.admin()
    await admin.connect()
    await admin.listTopics()
    await admin.disconnect()
  }

  test('may hold all-topics requests of the helper', async () => {
    await askForAll(broker.helper())
    expect(broker.embedded.journal.allTopicsRequests()).not.toEqual([])
  })

  // Its afterEach is what fails: the journal is kept for the suite, so this test must stay the last one.
  test.fails('fails a test in which anybody else made one', { retry: 0 }, () => askForAll(broker.kafka()))
})
