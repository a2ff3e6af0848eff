import { type ApiName, apiNames } from '../model/apiNames.js'
import { addOffsetsToTxn } from './addOffsetsToTxn.js'
import { addPartitionsToTxn } from './addPartitionsToTxn.js'
import { alterConfigs } from './alterConfigs.js'
import { apiVersions } from './apiVersions.js'
import { createPartitions } from './createPartitions.js'
import { createTopics } from './createTopics.js'
import { deleteGroups } from './deleteGroups.js'
import { deleteRecords } from './deleteRecords.js'
import { deleteTopics } from './deleteTopics.js'
import { describeCluster } from './describeCluster.js'
import { describeConfigs } from './describeConfigs.js'
import { describeGroups } from './describeGroups.js'
import { describeQuorum } from './describeQuorum.js'
import { endTxn } from './endTxn.js'
import { fetch } from './fetch.js'
import { findCoordinator } from './findCoordinator.js'
import { heartbeat } from './heartbeat.js'
import { incrementalAlterConfigs } from './incrementalAlterConfigs.js'
import { initProducerId } from './initProducerId.js'
import { joinGroup } from './joinGroup.js'
import { leaveGroup } from './leaveGroup.js'
import { listGroups } from './listGroups.js'
import { listOffsets } from './listOffsets.js'
import { metadata } from './metadata.js'
import { offsetCommit } from './offsetCommit.js'
import { offsetFetch } from './offsetFetch.js'
import { offsetForLeaderEpoch } from './offsetForLeaderEpoch.js'
import { produce } from './produce.js'
import { saslAuthenticate } from './saslAuthenticate.js'
import { saslHandshake } from './saslHandshake.js'
import type { ServedApi } from './served.js'
import { syncGroup } from './syncGroup.js'
import { txnOffsetCommit } from './txnOffsetCommit.js'

/** Every API the brokers serve, by its name in Kafka's protocol. */
export const served = {
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  Metadata: metadata,
  OffsetCommit: offsetCommit,
  OffsetFetch: offsetFetch,
  FindCoordinator: findCoordinator,
  JoinGroup: joinGroup,
  Heartbeat: heartbeat,
  LeaveGroup: leaveGroup,
  SyncGroup: syncGroup,
  DescribeGroups: describeGroups,
  ListGroups: listGroups,
  SaslHandshake: saslHandshake,
  ApiVersions: apiVersions,
  CreateTopics: createTopics,
  DeleteTopics: deleteTopics,
  DeleteRecords: deleteRecords,
  InitProducerId: initProducerId,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  EndTxn: endTxn,
  TxnOffsetCommit: txnOffsetCommit,
  DescribeConfigs: describeConfigs,
  AlterConfigs: alterConfigs,
  SaslAuthenticate: saslAuthenticate,
  CreatePartitions: createPartitions,
  DeleteGroups: deleteGroups,
  IncrementalAlterConfigs: incrementalAlterConfigs,
  DescribeCluster: describeCluster,
  DescribeQuorum: describeQuorum,
} satisfies Record<ApiName, unknown>

/** The decoded request of an API. */
export type RequestOf<N extends ApiName> = (typeof served)[N] extends ServedApi<infer Q, infer _R> ? Q : never
/** The response of an API, before it is encoded. */
export type ResponseOf<N extends ApiName> =
  (typeof served)[N] extends ServedApi<infer _Q, infer R> ? R : never

/** An API whose message types are not known here: what arrives by its key. */
export type AnyServedApi = ServedApi<unknown, unknown>

const byKey: ReadonlyMap<number, ApiName> = new Map(apiNames.map(name => [served[name].api.key, name]))

export const apiNameOf = (key: number): ApiName | undefined => byKey.get(key)
export const servedApi = (name: ApiName): AnyServedApi => served[name] as AnyServedApi
