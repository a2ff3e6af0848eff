import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCoordinatorApi } from '../../src/protocol/messages/findCoordinator.js'
import { heartbeatApi } from '../../src/protocol/messages/heartbeat.js'
import { joinGroupApi } from '../../src/protocol/messages/joinGroup.js'
import { leaveGroupApi } from '../../src/protocol/messages/leaveGroup.js'
import { offsetCommitApi } from '../../src/protocol/messages/offsetCommit.js'
import { syncGroupApi } from '../../src/protocol/messages/syncGroup.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka
const clients: RawClient[] = []

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 2, autoCreate: false })
  cluster.createTopic('t')
})

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await cluster.close()
})

const connect = async (node: number): Promise<RawClient> => {
  const client = await RawClient.connect(cluster.bootstrap[node]!)
  clients.push(client)
  return client
}

/** A connection to the group's coordinator. */
const member = async (): Promise<RawClient> => {
  const client = await connect(0)
  const found = await client.call(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['g'] })
  return connect(found!.coordinators[0]!.nodeId)
}

const joining = (memberId: string, sessionTimeoutMs = 10_000, protocols = ['range']) => ({
  groupId: 'g',
  sessionTimeoutMs,
  rebalanceTimeoutMs: 10_000,
  memberId,
  protocolType: 'consumer',
  protocols: protocols.map(name => ({ name, metadata: Buffer.from(name) })),
})

/** Joins in the two steps of version 4 and later. */
const join = async (client: RawClient, sessionTimeoutMs?: number, protocols?: string[]) => {
  const asked = await client.call(joinGroupApi, 9, joining('', sessionTimeoutMs, protocols))
  expect(asked!.errorCode).toBe(ERROR.MEMBER_ID_REQUIRED)
  return (await client.call(joinGroupApi, 9, joining(asked!.memberId, sessionTimeoutMs, protocols)))!
}

const heartbeat = async (client: RawClient, memberId: string, generationId: number) =>
  (await client.call(heartbeatApi, 4, { groupId: 'g', memberId, generationId }))!.errorCode

const sync = (client: RawClient, memberId: string, generationId: number, members: string[] = []) =>
  client.call(syncGroupApi, 5, {
    groupId: 'g',
    generationId,
    memberId,
    assignments: members.map(id => ({ memberId: id, assignment: Buffer.from(`for ${id}`) })),
  })

test('a member gets its id, a generation, and its assignment from the leader', async () => {
  const client = await member()
  const { memberId, leader, generationId, protocolName, members } = await join(client, undefined, ['a', 'b'])
  expect([leader, generationId, protocolName]).toEqual([memberId, 1, 'a'])
  expect(members).toMatchObject([{ memberId, metadata: Buffer.from('a') }])
  const synced = await sync(client, memberId, 1, [memberId])
  expect(synced!.assignment.toString()).toBe(`for ${memberId}`)
  expect(await heartbeat(client, memberId, 1)).toBe(ERROR.NONE)
})

test('before version 4 a new member joins at once', async () => {
  const client = await member()
  expect(await client.call(joinGroupApi, 3, joining(''))).toMatchObject({ errorCode: 0, generationId: 1 })
})

test('a second member makes the first join again; both get the protocol they share', async () => {
  const [one, two] = [await member(), await member()]
  const first = await join(one, undefined, ['a', 'b'])
  await sync(one, first.memberId, 1, [first.memberId])
  const second = join(two, undefined, ['b'])
  while ((await heartbeat(one, first.memberId, 1)) !== ERROR.REBALANCE_IN_PROGRESS);
  const again = (await one.call(joinGroupApi, 9, joining(first.memberId, undefined, ['a', 'b'])))!
  const other = await second
  expect([again.generationId, other.generationId, again.protocolName, other.leader]).toEqual([
    2,
    2,
    'b',
    first.memberId,
  ])
  expect(again.members.map(({ memberId }) => memberId).sort()).toEqual(
    [first.memberId, other.memberId].sort(),
  )
  expect(other.members).toEqual([])
  const following = sync(two, other.memberId, 2)
  await sync(one, first.memberId, 2, [first.memberId, other.memberId])
  expect((await following)!.assignment.toString()).toBe(`for ${other.memberId}`)
})

test('a member that leaves makes the others join again', async () => {
  const [one, two] = [await member(), await member()]
  const first = await join(one)
  await sync(one, first.memberId, 1)
  const second = join(two)
  while ((await heartbeat(one, first.memberId, 1)) !== ERROR.REBALANCE_IN_PROGRESS);
  await one.call(joinGroupApi, 9, joining(first.memberId))
  const other = await second
  await one.call(leaveGroupApi, 5, {
    groupId: 'g',
    members: [
      { memberId: first.memberId, groupInstanceId: null },
      { memberId: 'nobody', groupInstanceId: null },
    ],
  })
  expect(await heartbeat(two, other.memberId, 2)).toBe(ERROR.REBALANCE_IN_PROGRESS)
  const alone = await two.call(joinGroupApi, 9, joining(other.memberId))
  expect(alone).toMatchObject({ generationId: 3, leader: other.memberId })
})

test('a member that is silent for its session time-out is put out', async () => {
  const client = await member()
  const { memberId } = await join(client, 20)
  await sync(client, memberId, 1)
  const watcher = await member()
  const successor = await join(watcher)
  expect(successor.leader).toBe(successor.memberId)
  expect(await heartbeat(client, memberId, 1)).toBe(ERROR.UNKNOWN_MEMBER_ID)
})

test('strangers and old generations are refused, and so is another broker', async () => {
  const client = await member()
  const { memberId } = await join(client)
  expect(await heartbeat(client, 'nobody', 1)).toBe(ERROR.UNKNOWN_MEMBER_ID)
  expect(await heartbeat(client, memberId, 7)).toBe(ERROR.ILLEGAL_GENERATION)
  expect((await sync(client, memberId, 7))!.errorCode).toBe(ERROR.ILLEGAL_GENERATION)
  const other = await client.call(joinGroupApi, 9, joining('nobody'))
  expect(other!.errorCode).toBe(ERROR.UNKNOWN_MEMBER_ID)
  const foreign = await client.call(joinGroupApi, 9, joining('', undefined, ['unknown']))
  expect(foreign!.errorCode).toBe(ERROR.INCONSISTENT_GROUP_PROTOCOL)
  const commit = (id: string, generationId: number) => ({
    groupId: 'g',
    generationId,
    memberId: id,
    topics: [
      { name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }] },
    ],
  })
  const codes: (number | undefined)[] = []
  for (const request of [commit('', -1), commit(memberId, 9), commit(memberId, 1)]) {
    const response = await client.call(offsetCommitApi, 8, request)
    codes.push(response!.topics[0]!.partitions[0]?.errorCode)
  }
  expect(codes).toEqual([ERROR.UNKNOWN_MEMBER_ID, ERROR.ILLEGAL_GENERATION, ERROR.REBALANCE_IN_PROGRESS])
  const wrongBrokers = await Promise.all(
    [0, 1].map(
      async node => (await (await connect(node)).call(joinGroupApi, 9, joining('nobody')))!.errorCode,
    ),
  )
  expect(wrongBrokers.sort()).toEqual([ERROR.NOT_COORDINATOR, ERROR.UNKNOWN_MEMBER_ID])
})
