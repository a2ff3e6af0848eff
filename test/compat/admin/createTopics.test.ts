import '../support/production.js'
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs'
import { afterEach, describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { leadersOf } from '../../kafka/support/logs.js'
import { failureOf } from '../../kafka/support/producing.js'
import { helperClientId } from '../../kafka/testBroker.js'
import { clientsOf, numbered } from '../support/clients.js'
import { Wiretap } from '../support/wiretap.js'

const NOT_CONTROLLER = 41

interface CreateTopicsBody {
  readonly topics: readonly { readonly name: string }[]
}

forEachBroker('src/admin/__tests__/createTopics.spec.js', { real: { brokers: 3 } }, broker => {
  const { kafka, producer } = clientsOf(broker)
  const open: Admin[] = []
  afterEach(() => Promise.all(open.splice(0).map(admin => admin.disconnect())))

  // An explicit call is kafkajs's own, with the requests that kafkajs makes for it.
  const adminOf = (tap = new Wiretap()) => {
    const admin = kafka({ kafka: { clientId: helperClientId, socketFactory: tap.socketFactory } }).admin()
    open.push(admin)
    return admin
  }
  const connected = async (tap?: Wiretap) => {
    const admin = adminOf(tap)
    await admin.connect()
    return admin
  }
  const refusalOf = async (topics: unknown) =>
    (await failureOf(adminOf().createTopics({ topics: topics as ITopicConfig[] }))).message

  describe('Admin', () => {
    describe('createTopics', () => {
      test('throws an error if the topics array is invalid', async () => {
        expect(await refusalOf(null)).toBe('Invalid topics array null')
        expect(await refusalOf('no array')).toBe('Invalid topics array no array')
      })

      test('throws an error if the topic name is not a valid string', async () => {
        expect(await refusalOf([{ topic: 123 }])).toBe(
          'Invalid topics array, the topic names have to be a valid string',
        )
      })

      test('throws an error if there are multiple entries for the same topic', async () => {
        expect(await refusalOf([{ topic: 'twice' }, { topic: 'twice' }])).toBe(
          'Invalid topics array, it cannot have multiple entries for the same topic',
        )
      })

      test.each([
        ['are not an array', 'text', ', must be an array'],
        ['contain a non-object', ['text'], '. Entry 0 must be an object'],
        [
          'contain an entry with missing value property',
          [{ name: 'n' }],
          '. Entry 0 must have a valid "value" property',
        ],
        [
          'contain an entry with missing name property',
          [{ value: 'v' }],
          '. Entry 0 must have a valid "name" property',
        ],
      ])('throws an error if the config entries %s', async (_, configEntries, problem) => {
        expect(await refusalOf([{ topic: 'configured', configEntries }])).toBe(
          `Invalid configEntries for topic "configured"${problem}`,
        )
      })

      test('create the new topics and return true', async () => {
        const topic = uniqueTopic('created')
        const admin = await connected()
        expect(await admin.createTopics({ waitForLeaders: false, topics: [{ topic }] })).toBe(true)
        // Another broker may be asked, which learns of it a moment later.
        await expect.poll(() => admin.listTopics(), { timeout: 10_000 }).toContain(topic)
      })

      test('creating topic with manual replica assignment', async () => {
        const topic = uniqueTopic('assigned')
        const admin = await connected()
        const [first = 0, second = 0] = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId)
        const replicas = [second, first]
        const topics = [{ topic, replicaAssignment: [{ partition: 0, replicas }] }]
        expect(await admin.createTopics({ topics })).toBe(true)
        expect(await leadersOf(broker.bootstrap, [topic])).toMatchObject([{ partition: 0, replicas }])
      })

      // What kafkajs's spec throws where the controller is looked up, a broker says in its answer: there kafkajs gives up.
      test('retries if the controller has moved', async () => {
        const topic = uniqueTopic('moved')
        const tap = new Wiretap()
        tap.next('CreateTopics', {
          instead: ({ body }) => ({
            topics: (body as CreateTopicsBody).topics.map(({ name }) => ({
              name,
              errorCode: NOT_CONTROLLER,
              errorMessage: null,
            })),
          }),
        })
        const sender = producer(
          {},
          { kafka: { socketFactory: tap.socketFactory }, options: { topics: { create: 'admin' } } },
        )
        await sender.connect()
        expect(await sender.send({ topic, messages: numbered(1) })).toMatchObject([{ baseOffset: '0' }])
        expect(tap.of('CreateTopics')).toHaveLength(2)
      })

      test('ignore already created topics and return false', async () => {
        const topics = [{ topic: uniqueTopic('again') }]
        const admin = await connected()
        expect(await admin.createTopics({ topics })).toBe(true)
        expect(await admin.createTopics({ topics })).toBe(false)
      })

      test('query metadata if waitForLeaders is true', async () => {
        const names = ['a', 'b', 'c'].map(uniqueTopic)
        const tap = new Wiretap()
        const admin = await connected(tap)
        const topics = names.map(topic => ({ topic }))
        expect(await admin.createTopics({ waitForLeaders: true, topics })).toBe(true)
        const after = tap.requests.slice(tap.requests.findIndex(({ api }) => api === 'CreateTopics'))
        const asked = after.flatMap(({ api, body }) =>
          api === 'Metadata'
            ? [(body as CreateTopicsBody | { topics: null }).topics?.map(({ name }) => name).toSorted()]
            : [],
        )
        expect(asked).toContainEqual(names.toSorted())
      })

      test('forward non ignorable errors with topic name metadata', async () => {
        const topic = 'no/name'
        const error = await failureOf((await connected()).createTopics({ topics: [{ topic }] }))
        expect(error).toBeInstanceOf(kafkajs.KafkaJSAggregateError)
        expect(error).toMatchObject({ errors: [{ topic, type: 'INVALID_TOPIC_EXCEPTION' }] })
      })
    })
  })
})
