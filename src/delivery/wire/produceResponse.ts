import { produceApi } from '../../protocol/messages/produce.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { Reader } from '../../protocol/wire/reader.js'
import { IDS_FROM, TOPIC_ID_BYTES } from './produceRequest.js'

/** A broker's answer for one batch. */
export interface PartitionAnswer {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: bigint
  readonly logAppendTimeMs: bigint
  readonly logStartOffset: bigint
  readonly recordErrors: readonly RecordError[]
  readonly errorMessage: string | null
  readonly currentLeader: LeaderHint
}

export interface RecordError {
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string | null
}

/** -1 and -1 where the broker gave no hint. */
export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

export interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface ProduceResponse {
  readonly throttleTimeMs: number
  readonly nodeEndpoints: readonly NodeEndpoint[]
}

/** Takes a response apart as it is read; `Topic` is whatever it knows the response's topics by. */
export interface AnswerReceiver<Topic> {
  /** Up to version 12. */
  named(name: string): Topic
  /** @param at where the 16 bytes of the id stand in `payload` */
  identified(payload: Buffer, at: number): Topic
  answered(topic: Topic, answer: PartitionAnswer): void
}

const NO_RECORD_ERRORS: readonly RecordError[] = []
const NO_HINT: LeaderHint = { leaderId: -1, leaderEpoch: -1 }
const NO_ENDPOINTS: readonly NodeEndpoint[] = []

const CURRENT_LEADER_TAG = 0
const NODE_ENDPOINTS_TAG = 0

/** Reads the parts of one response in their order; the same fields as `produceApi.response` describes. */
class ResponseReader {
  private readonly reader: Reader
  private readonly version: number
  private readonly flexible: boolean

  constructor(version: number, payload: Buffer) {
    this.reader = new Reader(payload)
    this.version = version
    this.flexible = version >= produceApi.flexibleFrom
  }

  read<Topic>(receiver: AnswerReceiver<Topic>): ProduceResponse {
    const { reader } = this
    // The response header's own tags stand before the body.
    this.tags(() => false)
    for (let topics = this.count(); topics > 0; topics--) {
      const topic = this.version >= IDS_FROM ? this.identified(receiver) : this.named(receiver)
      for (let partitions = this.count(); partitions > 0; partitions--)
        receiver.answered(topic, this.partition())
      this.tags(() => false)
    }
    const throttleTimeMs = reader.int32()
    let nodeEndpoints = NO_ENDPOINTS
    this.tags(tag => {
      if (tag !== NODE_ENDPOINTS_TAG || this.version < 10) return false
      nodeEndpoints = this.endpoints()
      return true
    })
    return { throttleTimeMs, nodeEndpoints }
  }

  private named<Topic>(receiver: AnswerReceiver<Topic>): Topic {
    const name = this.string()
    if (name === null) throw new MalformedMessageError('a topic has no name')
    return receiver.named(name)
  }

  private identified<Topic>(receiver: AnswerReceiver<Topic>): Topic {
    const at = this.reader.offset
    this.reader.skip(TOPIC_ID_BYTES)
    return receiver.identified(this.reader.buffer, at)
  }

  private partition(): PartitionAnswer {
    const { reader, version } = this
    const index = reader.int32()
    const errorCode = reader.int16()
    const baseOffset = reader.int64()
    const logAppendTimeMs = reader.int64()
    const logStartOffset = version >= 5 ? reader.int64() : -1n
    const recordErrors = version >= 8 ? this.recordErrors() : NO_RECORD_ERRORS
    const errorMessage = version >= 8 ? this.string() : null
    let currentLeader = NO_HINT
    this.tags(tag => {
      if (tag !== CURRENT_LEADER_TAG || version < 10) return false
      currentLeader = { leaderId: reader.int32(), leaderEpoch: reader.int32() }
      this.tags(() => false)
      return true
    })
    return {
      index,
      errorCode,
      baseOffset,
      logAppendTimeMs,
      logStartOffset,
      recordErrors,
      errorMessage,
      currentLeader,
    }
  }

  private recordErrors(): readonly RecordError[] {
    const count = this.count()
    if (count === 0) return NO_RECORD_ERRORS
    const errors: RecordError[] = []
    for (let i = 0; i < count; i++) {
      errors.push({ batchIndex: this.reader.int32(), batchIndexErrorMessage: this.string() })
      this.tags(() => false)
    }
    return errors
  }

  private endpoints(): readonly NodeEndpoint[] {
    const endpoints: NodeEndpoint[] = []
    for (let count = this.count(); count > 0; count--) {
      const nodeId = this.reader.int32()
      const host = this.string() ?? ''
      endpoints.push({ nodeId, host, port: this.reader.int32(), rack: this.string() })
      this.tags(() => false)
    }
    return endpoints
  }

  private count(): number {
    const count = this.flexible ? this.reader.uvarint() - 1 : this.reader.int32()
    if (count < 0) throw new MalformedMessageError('an array is null')
    return this.reader.checkedCount(count)
  }

  private string(): string | null {
    const length = this.flexible ? this.reader.uvarint() - 1 : this.reader.int16()
    return length < 0 ? null : this.reader.utf8(length)
  }

  /** @param take reads a tag it knows; the others are skipped */
  private tags(take: (tag: number) => boolean): void {
    if (!this.flexible) return
    const { reader } = this
    const count = reader.uvarint()
    if (count === 0) return
    for (let i = reader.checkedCount(count); i > 0; i--) {
      const tag = reader.uvarint()
      const size = reader.uvarint()
      const end = reader.offset + size
      if (!take(tag)) reader.skip(size)
      else if (reader.offset !== end) throw new MalformedMessageError(`tag ${tag} is not ${size} bytes long`)
    }
  }
}

/**
 * Reads a Produce response by hand: `produceApi.response` describes the same, but making its objects for a thousand
 * partitions costs more than sending to them.
 *
 * @param payload what follows the correlation id
 * @throws {MalformedMessageError}
 */
export const readProduceResponse = <Topic>(
  version: number,
  payload: Buffer,
  receiver: AnswerReceiver<Topic>,
): ProduceResponse => {
  try {
    return new ResponseReader(version, payload).read(receiver)
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    throw new MalformedMessageError(`Produce version ${version}: ${error.message}`, { cause: error })
  }
}
