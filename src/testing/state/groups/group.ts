import { ERROR } from '../../../protocol/errorCodes.js'
import {
  type JoinRequest,
  type JoinResult,
  joinFailed,
  type Member,
  NOTHING,
  type SyncResult,
  sameProtocols,
} from './groupMember.js'

/** A group's phases, named as DescribeGroups reports them. */
export type GroupPhase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** One consumer group: the classic protocol's state machine (GroupCoordinator). Static members are not told apart. */
export class Group {
  readonly id: string
  protocolType = ''
  private phase: GroupPhase = 'Empty'
  private generation = 0
  private protocol: string | null = null
  private leader = ''
  /** A new group waits a while for more members than its first. */
  private forming = false
  private readonly members = new Map<string, Member>()
  /** Ids that were given out and have not joined yet. */
  private readonly expected = new Set<string>()
  private rebalanceTimer: NodeJS.Timeout | undefined
  private readonly newId: () => string
  private readonly initialDelayMs: number

  constructor(id: string, newId: () => string, initialDelayMs: number) {
    this.id = id
    this.newId = newId
    this.initialDelayMs = initialDelayMs
  }

  get state(): GroupPhase {
    return this.phase
  }

  /** What DescribeGroups says of the group. */
  describe() {
    const stable = this.phase === 'Stable'
    return {
      state: this.phase,
      protocolType: this.protocolType,
      protocol: stable ? (this.protocol ?? '') : '',
      members: [...this.members.values()].map(({ id, clientId, clientHost, protocols, assignment }) => ({
        memberId: id,
        clientId,
        clientHost,
        metadata: stable
          ? (protocols.find(each => each.name === this.protocol)?.metadata ?? NOTHING)
          : NOTHING,
        assignment: stable ? assignment : NOTHING,
      })),
    }
  }

  join(request: JoinRequest): Promise<JoinResult> {
    const { memberId } = request
    const known = this.members.get(memberId)
    if (memberId !== '' && !known && !this.expected.has(memberId)) {
      return Promise.resolve(joinFailed(ERROR.UNKNOWN_MEMBER_ID, memberId))
    }
    if (!this.accepts(request)) {
      return Promise.resolve(joinFailed(ERROR.INCONSISTENT_GROUP_PROTOCOL, memberId))
    }
    if (memberId === '' && request.newMembersAskTwice) {
      const id = `${request.clientId}-${this.newId()}`
      this.expected.add(id)
      return Promise.resolve(joinFailed(ERROR.MEMBER_ID_REQUIRED, id))
    }
    if (known) return this.rejoin(known, request)
    const id = memberId || `${request.clientId}-${this.newId()}`
    this.expected.delete(id)
    const member: Member = {
      id,
      clientId: request.clientId,
      clientHost: request.clientHost,
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      protocols: request.protocols,
      assignment: NOTHING,
      answerJoin: undefined,
      answerSync: undefined,
      sessionTimer: undefined,
    }
    this.protocolType = request.protocolType
    this.members.set(id, member)
    return this.awaitRebalance(member)
  }

  sync(
    memberId: string,
    generation: number,
    assignments: readonly { memberId: string; assignment: Buffer }[],
  ): Promise<SyncResult> {
    const failed = (errorCode: number) => Promise.resolve({ errorCode, assignment: NOTHING })
    const member = this.members.get(memberId)
    if (!member) return failed(ERROR.UNKNOWN_MEMBER_ID)
    if (generation !== this.generation) return failed(ERROR.ILLEGAL_GENERATION)
    if (this.phase === 'PreparingRebalance') return failed(ERROR.REBALANCE_IN_PROGRESS)
    this.keepAlive(member)
    if (this.phase === 'Stable') {
      return Promise.resolve({ errorCode: ERROR.NONE, assignment: member.assignment })
    }
    const answered = new Promise<SyncResult>(resolve => {
      member.answerSync = resolve
    })
    if (memberId === this.leader) this.assign(assignments)
    return answered
  }

  heartbeat(memberId: string, generation: number): number {
    const member = this.members.get(memberId)
    if (!member) return ERROR.UNKNOWN_MEMBER_ID
    if (generation !== this.generation) return ERROR.ILLEGAL_GENERATION
    this.keepAlive(member)
    return this.phase === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE
  }

  leave(memberId: string): number {
    if (this.expected.delete(memberId)) return ERROR.NONE
    const member = this.members.get(memberId)
    if (!member) return ERROR.UNKNOWN_MEMBER_ID
    this.remove(member)
    return ERROR.NONE
  }

  /** Whether a member may commit offsets now; a negative generation is a commit from outside the group. */
  commitError(memberId: string, generation: number): number {
    if (generation < 0) return this.phase === 'Empty' ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID
    const member = this.members.get(memberId)
    if (!member) return ERROR.UNKNOWN_MEMBER_ID
    if (generation !== this.generation) return ERROR.ILLEGAL_GENERATION
    if (this.phase === 'CompletingRebalance') return ERROR.REBALANCE_IN_PROGRESS
    this.keepAlive(member)
    return ERROR.NONE
  }

  close(): void {
    clearTimeout(this.rebalanceTimer)
    for (const member of this.members.values()) clearTimeout(member.sessionTimer)
  }

  private accepts({ protocolType, protocols }: JoinRequest): boolean {
    if (protocols.length === 0) return false
    if (this.members.size === 0) return true
    if (protocolType !== this.protocolType) return false
    return protocols.some(({ name }) => this.supportedByAll(name))
  }

  private supportedByAll(protocol: string): boolean {
    return [...this.members.values()].every(({ protocols }) =>
      protocols.some(({ name }) => name === protocol),
    )
  }

  private rejoin(member: Member, request: JoinRequest): Promise<JoinResult> {
    const unchanged = sameProtocols(member.protocols, request.protocols)
    member.protocols = request.protocols
    member.sessionTimeoutMs = request.sessionTimeoutMs
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    // A member that lost its answer gets it again; a leader that asks again wants a rebalance.
    const repeats =
      unchanged &&
      (this.phase === 'CompletingRebalance' || (this.phase === 'Stable' && member.id !== this.leader))
    if (repeats) {
      this.keepAlive(member)
      return Promise.resolve(this.joinResult(member))
    }
    return this.awaitRebalance(member)
  }

  private awaitRebalance(member: Member): Promise<JoinResult> {
    clearTimeout(member.sessionTimer)
    const answered = new Promise<JoinResult>(resolve => {
      member.answerJoin = resolve
    })
    this.prepareRebalance()
    return answered
  }

  private prepareRebalance(): void {
    if (this.phase !== 'PreparingRebalance') {
      this.forming = this.phase === 'Empty' && this.initialDelayMs > 0
      for (const member of this.members.values()) {
        member.answerSync?.({ errorCode: ERROR.REBALANCE_IN_PROGRESS, assignment: NOTHING })
        member.answerSync = undefined
      }
      this.phase = 'PreparingRebalance'
      const patience = Math.max(...[...this.members.values()].map(each => each.rebalanceTimeoutMs))
      const waitMs = this.forming ? this.initialDelayMs : patience
      this.rebalanceTimer = setTimeout(() => this.completeJoin(), waitMs)
    }
    this.completeWhenAllJoined()
  }

  private completeWhenAllJoined(): void {
    if (!this.forming && [...this.members.values()].every(({ answerJoin }) => answerJoin)) this.completeJoin()
  }

  private completeJoin(): void {
    clearTimeout(this.rebalanceTimer)
    this.forming = false
    for (const member of [...this.members.values()]) {
      if (member.answerJoin) continue
      clearTimeout(member.sessionTimer)
      this.members.delete(member.id)
    }
    this.generation++
    if (this.members.size === 0) {
      this.phase = 'Empty'
      this.protocol = null
      return
    }
    this.phase = 'CompletingRebalance'
    this.protocol = this.chooseProtocol()
    if (!this.members.has(this.leader)) this.leader = this.members.keys().next().value ?? ''
    for (const member of this.members.values()) {
      const answer = member.answerJoin
      member.answerJoin = undefined
      this.keepAlive(member)
      answer?.(this.joinResult(member))
    }
  }

  /** Each member votes for the first of its protocols that all support. */
  private chooseProtocol(): string | null {
    const votes = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      const choice = protocols.find(({ name }) => this.supportedByAll(name))
      if (choice) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
  }

  private joinResult(member: Member): JoinResult {
    return {
      errorCode: ERROR.NONE,
      memberId: member.id,
      generation: this.generation,
      protocol: this.protocol,
      leader: this.leader,
      members:
        member.id === this.leader
          ? [...this.members.values()].map(({ id, protocols }) => ({
              memberId: id,
              metadata: protocols.find(({ name }) => name === this.protocol)?.metadata ?? NOTHING,
            }))
          : [],
    }
  }

  private assign(assignments: readonly { memberId: string; assignment: Buffer }[]): void {
    const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
    this.phase = 'Stable'
    for (const member of this.members.values()) {
      member.assignment = byMember.get(member.id) ?? NOTHING
      member.answerSync?.({ errorCode: ERROR.NONE, assignment: member.assignment })
      member.answerSync = undefined
    }
  }

  private keepAlive(member: Member): void {
    clearTimeout(member.sessionTimer)
    member.sessionTimer = setTimeout(() => this.remove(member), member.sessionTimeoutMs)
  }

  private remove(member: Member): void {
    clearTimeout(member.sessionTimer)
    this.members.delete(member.id)
    member.answerJoin?.(joinFailed(ERROR.UNKNOWN_MEMBER_ID, member.id))
    member.answerSync?.({ errorCode: ERROR.UNKNOWN_MEMBER_ID, assignment: NOTHING })
    if (this.members.size === 0) this.completeJoin()
    else if (this.phase === 'PreparingRebalance') this.completeWhenAllJoined()
    else this.prepareRebalance()
  }
}
