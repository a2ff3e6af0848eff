import type { ApiName } from './apiNames.js'

/** Kafka's releases that the brokers can play, oldest first. */
export const kafkaVersions = [
  '0.11',
  '1.0',
  '1.1',
  '2.0',
  '2.1',
  '2.2',
  '2.3',
  '2.4',
  '2.5',
  '2.6',
  '2.7',
  '2.8',
  '3.0',
  '3.1',
  '3.2',
  '3.3',
  '3.4',
  '3.5',
  '3.6',
  '3.7',
  '3.8',
  '3.9',
  '4.0',
  '4.1',
  '4.2',
  '4.3',
  '4.4',
] as const

/** A release of Kafka that the brokers can play. */
export type KafkaVersion = (typeof kafkaVersions)[number]

export const newestKafka: KafkaVersion = '4.4'

/** An API's version by the release that was the first to have it. */
type Steps = Readonly<Partial<Record<KafkaVersion, number>>>

/** The highest version of each API, as ApiVersions of the release lists it. An API is absent before its first release. */
const highest: Readonly<Record<ApiName, Steps>> = {
  Produce: { '0.11': 3, '1.0': 5, '2.0': 6, 2.1: 7, 2.4: 8, 2.8: 9, 3.7: 10, 3.8: 11, '4.0': 12, 4.1: 13 },
  Fetch: {
    '0.11': 5,
    '1.0': 6,
    1.1: 7,
    '2.0': 8,
    2.1: 10,
    2.3: 11,
    2.7: 12,
    3.1: 13,
    3.5: 15,
    3.7: 16,
    3.9: 17,
    4.1: 18,
  },
  ListOffsets: {
    '0.11': 2,
    '2.0': 3,
    2.1: 4,
    2.2: 5,
    2.8: 6,
    '3.0': 7,
    3.5: 8,
    3.9: 9,
    '4.0': 10,
    4.2: 11,
  },
  Metadata: {
    '0.11': 4,
    '1.0': 5,
    '2.0': 6,
    2.1: 7,
    2.3: 8,
    2.4: 9,
    2.8: 11,
    3.1: 12,
    '4.0': 13,
  },
  OffsetCommit: { '0.11': 3, '2.0': 4, 2.1: 6, 2.3: 7, 2.4: 8, 3.7: 9, 4.2: 10 },
  OffsetFetch: { '0.11': 3, '2.0': 4, 2.1: 5, 2.4: 6, 2.5: 7, '3.0': 8, 3.7: 9, 4.2: 10 },
  FindCoordinator: { '0.11': 1, '2.0': 2, 2.4: 3, '3.0': 4, 3.8: 5, 3.9: 6 },
  JoinGroup: { '0.11': 2, '2.0': 3, 2.2: 4, 2.3: 5, 2.4: 6, 2.5: 7, 3.2: 9 },
  Heartbeat: { '0.11': 1, '2.0': 2, 2.3: 3, 2.4: 4 },
  LeaveGroup: { '0.11': 1, '2.0': 2, 2.4: 4, 3.2: 5 },
  SyncGroup: { '0.11': 1, '2.0': 2, 2.3: 3, 2.4: 4, 2.5: 5 },
  DescribeGroups: { '0.11': 1, '2.0': 2, 2.3: 3, 2.4: 5, '4.0': 6 },
  ListGroups: { '0.11': 1, '2.0': 2, 2.4: 3, 2.6: 4, 3.8: 5 },
  SaslHandshake: { '0.11': 0, '1.0': 1 },
  ApiVersions: { '0.11': 1, '2.0': 2, 2.4: 3, 3.9: 4, 4.4: 5 },
  CreateTopics: { '0.11': 2, '2.0': 3, 2.4: 5, 2.7: 6, 2.8: 7 },
  DeleteTopics: { '0.11': 1, '2.0': 2, 2.1: 3, 2.4: 4, 2.7: 5, 2.8: 6 },
  DeleteRecords: { '0.11': 0, '2.0': 1, 2.6: 2 },
  InitProducerId: { '0.11': 0, '2.0': 1, 2.4: 2, 2.5: 3, 2.7: 4, 3.8: 5 },
  OffsetForLeaderEpoch: { '0.11': 0, '2.0': 1, 2.1: 2, 2.3: 3, 2.8: 4 },
  AddPartitionsToTxn: { '0.11': 0, '2.0': 1, 2.7: 2, 2.8: 3, 3.6: 4, 3.8: 5 },
  AddOffsetsToTxn: { '0.11': 0, '2.0': 1, 2.7: 2, 2.8: 3, 3.8: 4 },
  EndTxn: { '0.11': 0, '2.0': 1, 2.7: 2, 2.8: 3, 3.8: 4, '4.0': 5 },
  TxnOffsetCommit: { '0.11': 0, '2.0': 1, 2.1: 2, 2.5: 3, 3.8: 4, '4.0': 5, 4.4: 6 },
  DescribeConfigs: { '0.11': 0, 1.1: 1, '2.0': 2, 2.6: 3, 2.8: 4 },
  AlterConfigs: { '0.11': 0, '2.0': 1, 2.8: 2 },
  SaslAuthenticate: { '1.0': 0, 2.2: 1, 2.5: 2 },
  CreatePartitions: { '1.0': 0, '2.0': 1, 2.5: 2, 2.7: 3 },
  DeleteGroups: { 1.1: 0, '2.0': 1, 2.4: 2, 4.4: 3 },
  IncrementalAlterConfigs: { 2.3: 0, 2.4: 1 },
  DescribeCluster: { 2.8: 0, 3.7: 1, '4.0': 2 },
  DescribeQuorum: { 3.3: 1, 3.9: 2 },
}

/** The lowest version where it is not 0 (KIP-896). Produce is listed from 0 on all the same, for librdkafka's sake. */
const lowest: Readonly<Partial<Record<ApiName, Steps>>> = {
  Fetch: { '4.0': 4 },
  ListOffsets: { '4.0': 1 },
  OffsetCommit: { '4.0': 2 },
  OffsetFetch: { '4.0': 1 },
  JoinGroup: { '4.0': 2, 4.1: 0 },
  CreateTopics: { '4.0': 2 },
  DeleteTopics: { '4.0': 1 },
  OffsetForLeaderEpoch: { '4.0': 2 },
  DescribeConfigs: { '4.0': 1 },
}

/** Whether a release is this one or newer. */
export const isSince = (version: KafkaVersion, first: KafkaVersion): boolean =>
  kafkaVersions.indexOf(version) >= kafkaVersions.indexOf(first)

const at = (steps: Steps, version: KafkaVersion): number | undefined => {
  let found: number | undefined
  for (const each of kafkaVersions) {
    found = steps[each] ?? found
    if (each === version) return found
  }
  return found
}

/** The versions of an API that a release lists; undefined where it does not have the API. */
export const listedBy = (
  version: KafkaVersion,
  api: ApiName,
): { readonly minVersion: number; readonly maxVersion: number } | undefined => {
  const maxVersion = at(highest[api], version)
  if (maxVersion === undefined) return undefined
  return { minVersion: at(lowest[api] ?? {}, version) ?? 0, maxVersion }
}

/**
 * Reads a release as users write it: `2.8`, or `2.8.2`.
 *
 * @throws {Error} that names the releases that can be played
 */
export const kafkaVersion = (given: string): KafkaVersion => {
  const found = kafkaVersions.find(each => given === each || given.startsWith(`${each}.`))
  if (found) return found
  throw new Error(
    `version: the embedded cluster plays Kafka ${kafkaVersions[0]} to ${newestKafka}, not ${JSON.stringify(given)}`,
  )
}
