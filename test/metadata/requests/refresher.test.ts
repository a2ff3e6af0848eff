import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectionError, gate, saslError } from '../scriptedCluster.js'
import { RefresherWorld, turn, watch } from './refresherWorld.js'

describe('MetadataRefresher', () => {
  let world: RefresherWorld
  let { cluster, cache, refresher, log, refreshed } = {} as RefresherWorld
  beforeEach(() => {
    world = RefresherWorld.start()
    ;({ cluster, cache, refresher, log, refreshed } = world)
  })
  afterEach(() => world.end())

  const create = (name: string, attempt = 1) => world.lookup(name, true, attempt)
  const look = (name: string, attempt = 1) => world.lookup(name, false, attempt)

  it('asks for all that is asked in one turn in one request, each name once', async () => {
    cluster.addTopic('a')
    cluster.addTopic('b')
    const answers = Promise.all([look('a'), look('b'), look('a')])
    await turn()
    expect((await answers).map(each => each.kind)).toEqual(['available', 'available', 'available'])
    expect(cluster.asked.map(each => each.names)).toEqual([['a', 'b']])
    expect(refreshed).toEqual([['topic', 'ok']])
  })

  it('names a topic that is asked for while a request is in flight in the next one, with its flag (the sarama defect)', async () => {
    const held = gate()
    cluster.beforeMetadata = () => held.opened
    cluster.missing = name => (name === 'late' ? undefined : 3)
    const early = watch(create('early'))
    await turn()
    expect(cluster.asked).toHaveLength(1)
    const late = watch(create('late'))
    await turn()
    held.open()
    await turn()
    expect(early.answer).toMatchObject({ kind: 'creating', errorCode: 3 })
    await vi.advanceTimersByTimeAsync(100)
    expect(cluster.asked.map(each => [each.names, each.create])).toEqual([
      [['early'], true],
      [['late'], true],
    ])
    expect(late.answer).toMatchObject({ kind: 'available' })
  })

  it('never joins an ask to the request in flight, even where that names the topic: its answer may be older', async () => {
    const held = gate()
    cluster.beforeMetadata = () => held.opened
    cluster.addTopic('t', { leader: 1, epoch: 1 })
    const requestsBefore = { first: 0, second: 0 }
    void look('t').then(() => {
      requestsBefore.first = cluster.asked.length
    })
    await turn()
    void look('t').then(() => {
      requestsBefore.second = cluster.asked.length
    })
    held.open()
    await turn()
    await turn()
    expect(requestsBefore).toEqual({ first: 1, second: 2 })
  })

  it('keeps names with and without the creation flag apart, and takes both kinds in turn', async () => {
    const all = [create('c1'), look('e1')].map(watch)
    await turn()
    await turn()
    expect(cluster.asked.map(each => [each.names, each.create])).toEqual([
      [['c1'], true],
      [['e1'], false],
    ])
    // Both kinds always have something to ask: neither may keep the other waiting.
    cluster.beforeMetadata = ({ create: flag }) => {
      if (cluster.asked.length < 8) watch(flag ? create('c', 2) : look('e', 2))
    }
    watch(create('c', 2))
    watch(look('e', 2))
    await vi.advanceTimersByTimeAsync(2000)
    const flags = cluster.asked.slice(2).map(each => each.create)
    expect(flags).toEqual(flags.map((_, index) => index % 2 === 0))
    expect(all.every(each => each.answer)).toBe(true)
  })

  it('lets those that wait ride along, so that one answer serves them early', async () => {
    cluster.addTopic('slow')
    refresher.wait('slow', true)
    refresher.wait('elsewhere', false)
    watch(create('new'))
    await turn()
    expect(cluster.asked.map(each => each.names)).toEqual([['new', 'slow']])
    expect(cache.has('slow')).toBe(true)
    refresher.unwait('slow', true)
    watch(create('next', 1))
    await vi.advanceTimersByTimeAsync(200)
    expect(cluster.asked.at(-1)?.names).toEqual(['next'])
  })

  it('sends no request for names that only wait', async () => {
    refresher.wait('slow', true)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(cluster.metadata).toHaveLength(0)
  })

  it('splits very many names over requests that follow each other', async () => {
    const names = Array.from({ length: 4500 }, (_, index) => `t${index}`)
    for (const name of names) cluster.addTopic(name)
    const all = Promise.all(names.map(name => look(name)))
    await vi.advanceTimersByTimeAsync(1000)
    expect((await all).every(each => each.kind === 'available')).toBe(true)
    expect(cluster.asked.map(each => each.names.length)).toEqual([2000, 2000, 500])
  })

  it("fails the attempt of a failed request's names with the transport's error, and goes on", async () => {
    cluster.addTopic('t')
    const error = connectionError()
    let failures = 1
    cluster.beforeMetadata = () => {
      if (failures-- > 0) throw error
    }
    const first = watch(look('t'))
    await turn()
    expect(first.error).toBe(error)
    const second = watch(look('t', 2))
    await vi.advanceTimersByTimeAsync(100)
    expect(second.answer).toMatchObject({ kind: 'available' })
    expect(refreshed).toEqual([
      ['topic', 'failed'],
      ['topic', 'ok'],
    ])
  })

  it('passes the broker to avoid on', async () => {
    watch(refresher.lookup('t', { create: false, trigger: 'leader', avoidNode: 1 }))
    await turn()
    expect(cluster.asked[0]?.target).toEqual({ anyBut: 1 })
    expect(cluster.asked[0]?.node).toBe(2)
  })

  it('tells availability, creation and refusal apart by the code', async () => {
    cluster.addTopic('offline', { leader: -1 })
    const codes: Record<string, number> = {
      unknown: 3,
      electing: 5,
      forbidden: 29,
      invalid: 17,
      odd: -1,
      rf: 38,
    }
    cluster.missing = name => codes[name]
    const names = [...Object.keys(codes), 'offline']
    const all = Promise.all(names.map(name => create(name)))
    await turn()
    const answers = await all
    expect(Object.fromEntries(names.map((name, index) => [name, answers[index]]))).toEqual({
      unknown: { kind: 'creating', errorCode: 3, nodeId: 1 },
      electing: { kind: 'creating', errorCode: 5, nodeId: 1 },
      offline: { kind: 'creating', errorCode: 5, nodeId: 1, exists: true },
      odd: { kind: 'creating', errorCode: -1, nodeId: 1 },
      forbidden: { kind: 'refused', errorCode: 29, nodeId: 1 },
      invalid: { kind: 'refused', errorCode: 17, nodeId: 1 },
      rf: { kind: 'refused', errorCode: 38, nodeId: 1 },
    })
    expect(refreshed).toEqual([['topic', 'partial']])
  })

  it('tells a name that the answer leaves out from one that the broker does not know', async () => {
    const { Metadata } = cluster.handlers
    cluster.handlers.Metadata = async (request, node) => {
      const answer = await Metadata(request, node)
      return { ...answer, topics: answer.topics.filter((_, index) => index % 2 === 0) }
    }
    const lookups = ['a', 'b', 'c'].map(name => watch(look(name)))
    await turn()
    const unknown = { kind: 'creating', errorCode: 3, nodeId: 1 }
    expect(lookups.map(each => each.answer)).toEqual([unknown, { ...unknown, omitted: true }, unknown])
  })

  it('ignores topics that nobody asked for, and all descriptions of a topic but the first', async () => {
    cluster.addTopic('t', { leader: 2 })
    const { Metadata } = cluster.handlers
    cluster.handlers.Metadata = async (request, node) => {
      const answer = await Metadata(request, node)
      const [topic] = answer.topics
      const others = Array.from({ length: 1000 }, (_, index) => ({ ...topic!, name: `other-${index}` }))
      return { ...answer, topics: [...others, topic!, { errorCode: 3, name: 't', partitions: [] }] }
    }
    const lookup = watch(look('t'))
    await turn()
    expect(lookup.answer).toMatchObject({ kind: 'available' })
    expect(cache.size).toBe(1)
  })

  it('takes an answer without brokers for a failure: a starting broker knows no topics either', async () => {
    cluster.addTopic('t')
    watch(look('t'))
    await turn()
    cluster.handlers.Metadata = () => ({ brokers: [], topics: [{ errorCode: 3, name: 't', partitions: [] }] })
    const lookup = watch(look('t'))
    await turn()
    expect(lookup.error).toMatchObject({
      message: expect.stringContaining('without any broker'),
      retriable: true,
    })
    expect(cache.brokers).toHaveLength(3)
  })

  it('has applied brokers and topics, in that order, before it answers', async () => {
    cluster.addTopic('t')
    const order: string[] = []
    cluster.setBrokers = () => order.push('brokers')
    cache.subscribe(() => order.push('topic'))
    const lookup = look('t').then(() => order.push('answer'))
    await turn()
    await lookup
    expect(order).toEqual(['brokers', 'topic', 'answer'])
  })

  it('asks for brokers alone with an empty list', async () => {
    const done = refresher.fetchBrokers()
    await turn()
    await done
    expect(cluster.metadata.map(each => [each.names, each.create])).toEqual([[[], false]])
    expect(cache.brokers.map(each => each.nodeId)).toEqual([1, 2, 3])
    expect(refreshed).toEqual([['connect', 'ok']])
  })

  it.each([
    ['refused credentials', saslError()],
    ['a bug', new TypeError("Cannot read properties of undefined (reading 'x')")],
  ])('hands %s on as they are', async (_, error) => {
    cluster.beforeMetadata = () => {
      throw error
    }
    const lookups = [look('t'), look('u')].map(watch)
    await turn()
    expect(lookups.map(each => each.error)).toEqual([error, error])
  })

  it('refuses a broker too old for the creation flag, instead of asking it for all topics', async () => {
    cluster.versions.Metadata = 3
    const lookup = watch(look('t'))
    await turn()
    expect(lookup.error).toMatchObject({ retriable: false, message: expect.stringMatching(/Metadata/) })
    expect(cluster.metadata).toHaveLength(0)
  })

  it('takes a withdrawn ask back as long as no request carries it', async () => {
    watch(create('t'))
    await turn()
    const withdrawn = new AbortController()
    const lookup = watch(
      refresher.lookup('t', { create: true, trigger: 'topic', pace: 'again', signal: withdrawn.signal }),
    )
    await turn()
    const reason = new Error('enough')
    withdrawn.abort(reason)
    await vi.advanceTimersByTimeAsync(1000)
    expect(lookup.error).toBe(reason)
    expect(cluster.asked).toHaveLength(1)
  })

  it('ends every ask when it is closed, the one in flight included, and takes no later answer', async () => {
    const held = gate()
    cluster.beforeMetadata = () => held.opened
    cluster.addTopic('flying')
    const asks = [create('flying')].map(watch)
    await turn()
    asks.push(watch(create('queued')), watch(look('other')))
    const closed = new Error('closed')
    const brokers = expect(refresher.fetchBrokers()).rejects.toBe(closed)
    refresher.close(closed)
    held.open()
    await turn()
    expect(asks.map(each => each.error)).toEqual([closed, closed, closed])
    await brokers
    await expect(look('after')).rejects.toBe(closed)
    await expect(refresher.fetchBrokers()).rejects.toBe(closed)
    expect(cache.size).toBe(0)
  })

  it('logs every fetch with names, flag, outcome and attempt, as debug lines', async () => {
    cluster.addTopic('there')
    watch(create('there'))
    watch(create('missing', 3))
    await turn()
    cluster.beforeMetadata = () => {
      throw connectionError()
    }
    watch(look('there'))
    await turn()
    expect(log.lines).toEqual([
      {
        level: 'debug',
        message: 'Metadata fetched',
        extra: {
          trigger: 'topic',
          names: ['there', 'missing'],
          create: true,
          nodeId: 1,
          version: 12,
          elapsedMs: expect.any(Number),
          outcomes: { there: 'available', missing: 'UNKNOWN_TOPIC_OR_PARTITION' },
          attempts: { there: 1, missing: 3 },
        },
      },
      {
        level: 'debug',
        message: 'Metadata request failed',
        extra: {
          trigger: 'topic',
          names: ['there'],
          create: false,
          elapsedMs: expect.any(Number),
          error: expect.stringContaining('ECONNREFUSED'),
        },
      },
    ])
  })
})
