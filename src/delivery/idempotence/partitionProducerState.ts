import type { Batch } from '../batch/batch.js'
import type { ProducerIdentity } from '../batch/producerIdentity.js'
import { PartitionSequences } from './sequences.js'

/** What the state sees of its partition queue. */
export interface NumberedBatches {
  /** In order: in flight or waiting first, the open one last. */
  readonly batches: readonly Batch[]
  readonly inFlight: number
  /** Asks for another producer id, or with transactions for another epoch. */
  renewIdentity(spent: ProducerIdentity): void
  /** Ends a batch whose earlier attempts may have been written and whose sequence the broker has lost. */
  rejectSequenceLost(batch: Batch): void
  /** A new epoch was begun. */
  epochBumped(): void
}

/** Whether the next batch can be given a sequence, or that has to wait: for batches in flight, or for another identity. */
export type NextSequence = 'ready' | 'waiting'

const NONE: readonly Batch[] = []

/**
 * The one owner of a partition's idempotence state: under which identity and sequence its batches go, and how it finds back to
 * sequences that its leader expects, after a failure, an unknown outcome, or when its topic was created again. The others tell it
 * what happened, and call {@link prepareSequence} before each batch. Nothing changes while a batch is in flight whose answer may decide. (KIP-98, KIP-360; TxnPartitionEntry
 * and TransactionManager of the Java client.) See the diagram in ARCHITECTURE.md.
 */
export class PartitionProducerState {
  private readonly owner: NumberedBatches
  private readonly sequences = new PartitionSequences()
  /**
   * Whether the current leader has acknowledged a batch of this epoch. Only then does it check what follows: a leader without state takes any
   * sequence for the first, so a second batch in flight, written before the first one's retry, would stand before it.
   */
  private leaderHasAcked = false
  /** Sequences were used by batches that will never be written: the broker would wait for them for ever. */
  private needsBump = false
  /** The broker does not take the producer id any more: another epoch of it would not be taken either. */
  private needsIdentity = false
  /**
   * A batch of unknown outcome ended without an answer. Whether its sequences were used shows only in the answers to those after it: bumped at once,
   * those in flight behind it would be refused although they are in the log.
   */
  private unresolved = false
  /**
   * The topic was deleted and created again. Not acted on while a batch is in flight to the old one: its acknowledgement would be taken for the new
   * topic's, and what follows for the first of an epoch that has begun elsewhere.
   */
  private isRecreated = false

  constructor(owner: NumberedBatches) {
    this.owner = owner
  }

  /** Undefined until the first batch is numbered. */
  get identity(): ProducerIdentity | undefined {
    return this.sequences.identity
  }

  /** Whether several batches may be in flight. */
  get mayPipeline(): boolean {
    return this.leaderHasAcked
  }

  /** Whether some sequences may never be used: what comes next needs another epoch. */
  get isUnsettled(): boolean {
    return this.needsBump || this.unresolved
  }

  /** Whether the outcome of an ended batch is still to be learned from those behind it. */
  get isUnresolved(): boolean {
    return this.unresolved
  }

  /** Whether this is the batch that the broker expects next, as far as its acknowledgements tell. */
  expects(batch: Batch): boolean {
    return batch.baseSequence === this.sequences.expected
  }

  // What happened.

  /** @param byCurrentLeader an answer of a former leader says nothing of what the present one knows */
  acknowledged(batch: Batch, byCurrentLeader: boolean): void {
    if (batch.identity === undefined) return
    this.sequences.acknowledge(batch.baseSequence, batch.recordCount)
    if (byCurrentLeader) this.leaderHasAcked = true
  }

  /** A batch was refused, or its answer lost: a leader that has lost its state would take any sequence for the first. */
  failed(): void {
    this.leaderHasAcked = false
  }

  /** The leader does not take a batch's sequence. */
  sequenceRefused(batch: Batch): void {
    if (batch.identity !== undefined) this.needsBump = true
    this.unresolved = false
  }

  /** The leader does not take the producer id. */
  identityRefused(): void {
    this.needsIdentity = true
    this.unresolved = false
  }

  /** Records are taken out of a refused batch: what is left has fewer than its sequences. */
  divided(batch: Batch): void {
    if (batch.identity !== undefined) this.needsBump = true
  }

  /** A batch ends without an acknowledgement: its sequences, if it had any, were never used, or nobody knows yet. */
  dropped(batch: Batch): void {
    if (batch.identity === undefined) return
    if (batch.outcomeUnknown) this.unresolved = true
    else this.needsBump = true
  }

  /** Another leader, which may remember what the former one had forgotten, and has acknowledged nothing yet. */
  leaderChanged(): void {
    this.leaderHasAcked = false
    for (const batch of this.owner.batches) batch.isSetAside = false
  }

  topicRecreated(): void {
    this.isRecreated = true
  }

  /** The producer has another identity, and nothing of the former is left: numbering starts over. */
  restart(): void {
    this.sequences.forget()
    this.needsBump = false
    this.needsIdentity = false
    this.unresolved = false
    this.leaderHasAcked = false
  }

  // What to do.

  /** Makes the partition ready to number its next batch, unless a batch in flight may still decide how. */
  prepareSequence(): NextSequence {
    if (this.isRecreated && !this.leaveOldTopic()) return 'waiting'
    if (this.unresolved && !this.resolve()) return 'waiting'
    if ((this.needsBump || this.needsIdentity) && !this.bump()) return 'waiting'
    return 'ready'
  }

  /** Begins to number, where there is an identity to do so. @returns whether there is one */
  begin(identity: ProducerIdentity | undefined): boolean {
    if (this.sequences.identity !== undefined) return true
    if (identity === undefined) return false
    this.sequences.start(identity)
    this.leaderHasAcked = false
    return true
  }

  /** Gives the batch its sequence: the order of sequences is that of first sending. */
  number(batch: Batch): void {
    batch.identify(this.sequences.identity!, this.sequences.assign(batch.recordCount))
  }

  /**
   * A broker that was killed remembers a producer's last batch alone, and refuses those before it although they are in the
   * log. But it takes a batch only after the one before it: when it has a later one, it has them all. So a
   * refused batch of unknown outcome is set aside, and the next of unknown outcome is asked for.
   *
   * @returns false where nothing behind it can tell
   */
  setAside(batch: Batch): boolean {
    const { batches } = this.owner
    // Of an epoch of which nothing is acknowledged the leader may have no state: it would take any batch for the first.
    if (!batch.outcomeUnknown || this.sequences.expected === 0) return false
    const at = batches.indexOf(batch)
    const witness = batches[at + 1]
    if (witness === undefined || !witness.outcomeUnknown || witness.identity !== batch.identity) return false
    for (let i = 0; i < at; i++) if (!batches[i]!.isSetAside) return false
    batch.isSetAside = true
    return true
  }

  /** They stand before all others: the answer to any batch behind them tells what became of them. */
  get allSetAside(): readonly Batch[] {
    const { batches } = this.owner
    return batches[0]!.isSetAside ? batches.filter(each => each.isSetAside) : NONE
  }

  private get isTransactional(): boolean {
    return this.owner.batches[0]!.deliveryClass.transactional
  }

  private leaveOldTopic(): boolean {
    const { inFlight, batches } = this.owner
    if (inFlight > 0) return false
    this.isRecreated = false
    this.unresolved = false
    // The last acknowledgement may have been the old topic's.
    this.leaderChanged()
    // A batch of unknown outcome keeps its sequence, and so do those around it: the new leader takes any for the first. So do
    // all of a transaction, which cannot have another epoch.
    const isKept = batches.some(each => each.identity !== undefined && each.outcomeUnknown)
    this.needsBump = !isKept && !this.isTransactional
    return true
  }

  /** After an expired batch of unknown outcome: goes on once the answers tell, or starts a new epoch. */
  private resolve(): boolean {
    const { inFlight, batches } = this.owner
    if (inFlight > 0) return false
    const head = batches[0]!
    if (head.identity !== undefined) {
      // Its acknowledgement was the proof: the broker expects just this batch.
      if (this.expects(head)) {
        this.unresolved = false
        return true
      }
      // Its own outcome is unknown too: only under its old sequence may it be asked for.
      if (head.outcomeUnknown) return true
    }
    if (!this.sequences.isSettled) this.needsBump = true
    this.unresolved = false
    return true
  }

  /** Starts a new epoch for what is left. */
  private bump(): boolean {
    const { owner, sequences } = this
    if (owner.inFlight > 0) return false
    const { identity } = sequences
    if (identity !== undefined && this.isTransactional) {
      // The epoch is the coordinator's to bump: this producer would be fenced from its own transaction.
      owner.renewIdentity(identity)
      return false
    }
    for (const batch of [...owner.batches]) {
      if (batch.identity === undefined) continue
      if (batch.outcomeUnknown) owner.rejectSequenceLost(batch)
      else batch.forgetIdentity()
    }
    const goesOn = this.needsIdentity ? sequences.forget() : sequences.bump()
    if (identity !== undefined) {
      if (!goesOn) owner.renewIdentity(identity)
      else if (!this.needsIdentity) owner.epochBumped()
    }
    this.needsBump = false
    this.needsIdentity = false
    this.leaderHasAcked = false
    return owner.batches.length > 0
  }
}
