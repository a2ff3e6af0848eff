import type { RecordMetadata } from 'kafkajs'
import type { AcknowledgedBatch } from './acknowledgedBatch.js'
import type { RecordCompletion } from './recordCompletion.js'

/** Neighbouring records that ended together. */
interface Run {
  readonly first: number
  readonly count: number
  readonly error: Error | undefined
  /** Undefined for acks 0. */
  readonly batch: AcknowledgedBatch | undefined
  /** The index of the run's first record in `batch`. */
  readonly index: number
}

/**
 * Single-message sends that share one promise, and each wait for their place in it by `then`, which costs half the memory of a
 * promise with its own resolving functions: at a million sends a second that memory is what limits the rate.
 */
export class SharedPromise implements RecordCompletion {
  protected places = 0
  private told = 0
  /** The runs that have ended; nearly always one. */
  private first: Run | undefined
  private others: Map<number, Run> | undefined
  private settle!: (records: SharedPromise) => void
  private readonly settled = new Promise<SharedPromise>(resolve => {
    this.settle = resolve
  })
  /** By place: where not all end together, some end later than the first. */
  private latecomers: Map<number, (run: Run) => void> | undefined

  get size(): number {
    return this.places
  }

  /** The outcome of the record that was appended last. */
  add(): Promise<RecordMetadata[]> {
    this.places++
    return this.settled.then(tellNext)
  }

  /** A promise calls what waits for it in the order of `then`: one function for all counts along, where each would need its own. */
  tellNext(): RecordMetadata[] | Promise<RecordMetadata[]> {
    return this.outcomeAt(this.told++)
  }

  private outcomeAt(place: number): RecordMetadata[] | Promise<RecordMetadata[]> {
    const run = this.first !== undefined && covers(this.first, place) ? this.first : this.others?.get(place)
    if (run !== undefined) return outcomeIn(run, place)
    return new Promise<Run>(end => {
      this.latecomers ??= new Map()
      this.latecomers.set(place, end)
    }).then(late => outcomeIn(late, place))
  }

  private end(run: Run): void {
    if (this.first === undefined) this.first = run
    else {
      this.others ??= new Map()
      for (let place = run.first; place < run.first + run.count; place++) this.others.set(place, run)
    }
    this.settle(this)
    if (this.latecomers === undefined) return
    for (let place = run.first; place < run.first + run.count; place++) {
      this.latecomers.get(place)?.(run)
      this.latecomers.delete(place)
    }
  }

  acknowledged(batch: AcknowledgedBatch, first: number, count: number, index: number): void {
    this.end({ first, count, error: undefined, batch, index })
  }

  written(count: number, first: number): void {
    this.end({ first, count, error: undefined, batch: undefined, index: 0 })
  }

  failed(error: Error, _topic: string, _partition: number, first: number, count: number): void {
    this.end({ first, count, error, batch: undefined, index: 0 })
  }
}

const tellNext = (records: SharedPromise): RecordMetadata[] | Promise<RecordMetadata[]> => records.tellNext()

const covers = ({ first, count }: Run, place: number): boolean => place >= first && place < first + count

const outcomeIn = ({ first, error, batch, index }: Run, place: number): RecordMetadata[] => {
  if (error !== undefined) throw error
  return batch === undefined ? [] : [batch.metadataAt(index + place - first)]
}
