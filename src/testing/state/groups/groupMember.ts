export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinRequest {
  readonly memberId: string
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
  /** Whether a new member is first given an id and has to ask again (version 4 on). */
  readonly newMembersAskTwice: boolean
}

export interface JoinResult {
  readonly errorCode: number
  readonly memberId: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

export interface SyncResult {
  readonly errorCode: number
  readonly assignment: Buffer
}

/** A member as its coordinator keeps it. */
export interface Member {
  readonly id: string
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly GroupProtocol[]
  assignment: Buffer
  answerJoin: ((result: JoinResult) => void) | undefined
  answerSync: ((result: SyncResult) => void) | undefined
  sessionTimer: NodeJS.Timeout | undefined
}

export const NOTHING = Buffer.alloc(0)

export const joinFailed = (errorCode: number, memberId: string): JoinResult => ({
  errorCode,
  memberId,
  generation: -1,
  protocol: '',
  leader: '',
  members: [],
})

export const sameProtocols = (first: readonly GroupProtocol[], second: readonly GroupProtocol[]): boolean =>
  first.length === second.length &&
  first.every(({ name, metadata }, i) => second[i]!.name === name && second[i]!.metadata.equals(metadata))
