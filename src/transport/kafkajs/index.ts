export { seeingRequests, withQuietQueues } from './clients.js'
export { noteCommittedOffsets } from './committedOffsets.js'
export { configurationOf, rememberConfig, retryOf } from './configuration.js'
export type { ConsumerRequests } from './consumerRequests.js'
