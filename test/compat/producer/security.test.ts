import '../support/production.js'
import kafkajs, { logLevel, type SASLOptions } from 'kafkajs'
import { ResilientKafka, type ResilientProducer } from 'kafkajs-resilient-producer'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { failureOf } from '../../kafka/support/producing.js'
import { PASSWORD, USER, unsecuredToken } from '../../kafka/support/secureBroker.js'
import { uniqueTopic } from '../../kafka/testBroker.js'
import { cert } from '../../testing/support/certificate.js'
import { numbered } from '../support/clients.js'
import { type Secured, startEmbeddedSecured, startLocalSecured } from '../support/secured.js'

const user = { username: USER, password: PASSWORD }
const wrong = { username: 'wrong', password: 'wrong' }

/** As kafkajs's specs go through them, with the words of the refusal. */
const passwords: readonly [name: string, mechanism: string, refusal: RegExp][] = [
  ['PLAIN', 'plain', /SASL PLAIN authentication failed/],
  ['SCRAM 256', 'scram-sha-256', /SASL SCRAM SHA256 authentication failed/],
  ['SCRAM 512', 'scram-sha-512', /SASL SCRAM SHA512 authentication failed/],
]

const define = (start: () => Promise<Secured>) => {
  let secured: Secured
  let open: ResilientProducer[] = []
  beforeAll(async () => {
    secured = await start()
  })
  afterEach(async () => {
    await Promise.all(open.map(producer => producer.disconnect()))
    open = []
  })
  afterAll(() => secured?.stop())

  const producer = (brokers: string[], sasl?: SASLOptions) => {
    const ssl = { servername: 'localhost', ca: [cert] }
    const kafka = new ResilientKafka({ brokers, ssl, logLevel: logLevel.NOTHING, ...(sasl && { sasl }) })
    const made = kafka.producer()
    open.push(made)
    return made
  }

  const sends = async (made: ResilientProducer) => {
    await made.connect()
    const sent = await made.send({ topic: uniqueTopic('secured'), messages: numbered(1) })
    expect(sent).toMatchObject([{ errorCode: 0, baseOffset: '0' }])
  }

  describe('Producer', () => {
    test('support SSL connections', () => sends(producer(secured.tls)))

    for (const [name, mechanism, refusal] of passwords) {
      test(`support SASL ${name} connections`, () =>
        sends(producer(secured.sasl, { mechanism, ...user } as SASLOptions)))

      test(`throws an error if SASL ${name} fails to authenticate`, async () => {
        const error = await failureOf(
          producer(secured.sasl, { mechanism, ...wrong } as SASLOptions).connect(),
        )
        expect(error).toBeInstanceOf(kafkajs.KafkaJSSASLAuthenticationError)
        expect(error.message).toMatch(refusal)
      })
    }

    test('support SASL OAUTHBEARER connections', () => {
      const oauthBearerProvider = async () => ({ value: unsecuredToken(USER, 3600) })
      return sends(producer(secured.sasl, { mechanism: 'oauthbearer', oauthBearerProvider }))
    })
  })
}

const { source, reasons, owner } = inject('kafka')
const local = source?.kind === 'local' ? source : undefined

describe('src/producer/index.spec.js [embedded]', () => define(startEmbeddedSecured))

describe.skipIf(!local)(
  `src/producer/index.spec.js [${local ? 'local Kafka' : `no real Kafka with listeners of its own: ${reasons.join('; ')}`}]`,
  { meta: { kafka: local?.kind ?? 'none' } },
  () => define(() => startLocalSecured(local?.version ?? '', owner)),
)
