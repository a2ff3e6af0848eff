import { expect, test } from 'vitest'
import { finally_, makeProducer, send, startCluster } from './support.js'

/** Resolves when so many attempts have failed. */
const failures = (count: number) => {
  let onRetry = (): void => {}
  const reached = new Promise<void>(resolve => {
    let left = count
    onRetry = () => {
      if (--left === 0) resolve()
    }
  })
  return { onRetry, reached }
}

test('a handshake that outlasts several requests connects, over the one connection that was begun', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const gate = cluster.gate()
  cluster.on('ApiVersions', async (request, next) => {
    await gate.wait(request.stopped)
    return next()
  })
  const { onRetry, reached } = failures(3)
  let tooLate = 0
  const producer = makeProducer(cluster.bootstrap, {
    metadataRequestTimeoutMs: 20,
    metadataRetry: { minTimeoutMs: 5, maxTimeoutMs: 5, onRetry: () => {} },
  })
  const connecting = producer.connect()
  await gate.arrived
  const waits = setInterval(() => {
    if (++tooLate >= 3) onRetry()
  }, 20)
  finally_(() => clearInterval(waits))
  await reached
  gate.open()
  await connecting
  const connections = new Set(cluster.journal.of('Metadata').map(({ connectionId }) => connectionId))
  expect(connections.size).toBe(1)
  await send(producer, 't', 'a')
})

test('a token provider that takes long is asked once, and waited for within authenticationTimeout', async () => {
  const cluster = await startCluster({ listeners: { sasl: { principalOfToken: token => token } } })
  cluster.createTopic('t')
  let give = (): void => {}
  const given = new Promise<void>(resolve => {
    give = resolve
  })
  let calls = 0
  const producer = makeProducer(
    cluster.bootstrap,
    { metadataRequestTimeoutMs: 20, metadataRetry: { minTimeoutMs: 5, maxTimeoutMs: 5 } },
    {
      authenticationTimeout: 60_000,
      sasl: {
        mechanism: 'oauthbearer',
        oauthBearerProvider: async () => {
          calls++
          setTimeout(give, 100)
          await given
          return { value: 'alice' }
        },
      },
    },
  )
  await producer.connect()
  expect(calls).toBe(1)
})

test('a broker that answers InitProducerId late lets the producer connect', async () => {
  const cluster = await startCluster()
  let asked = 0
  cluster.on(
    'InitProducerId',
    async (_request, next) => {
      asked++
      await new Promise(resolve => setTimeout(resolve, 100))
      return next()
    },
    { times: Infinity },
  )
  const producer = makeProducer(cluster.bootstrap, { metadataRequestTimeoutMs: 30, idempotent: true })
  await producer.connect()
  expect(asked).toBeGreaterThan(1)
})
