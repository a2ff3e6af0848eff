import { addAbortSignal } from 'node:stream'
import type { Message } from 'kafkajs'
import { orAborted } from '../../connection/connect.js'
import { type Line, LineSplitter } from '../../ndjson/lines.js'
import { type RecordMapping, toRecord } from '../../ndjson/record.js'
import type { Source } from './sources.js'
import type { Tally } from './tally.js'
import { Window, type WindowLimits } from './window.js'

/** What of the producer the reading end needs. */
export interface Sink {
  enqueue(topic: string, message: Message, onDelivery: (error: Error | null) => void): boolean
  ready(): Promise<void>
}

export interface FeedOptions {
  readonly mapping: RecordMapping
  /** Ends the reading at the first malformed line. */
  readonly onMalformed: 'continue' | 'stop'
  readonly window: WindowLimits
  /** Ends the reading. Records taken before stay with the sink. */
  readonly signal: AbortSignal
}

/**
 * Reads the sources one after another into the sink, no faster than it takes them: after a refusal, and with a full
 * window, nothing is read until there is room again. Resolves when everything was read, the first malformed line ended
 * it or the signal aborted; the records themselves may still be on their way.
 *
 * @throws what reading a source throws
 */
export async function feed(
  sources: readonly Source[],
  sink: Sink,
  tally: Tally,
  options: FeedOptions,
): Promise<void> {
  const feeder = new Feeder(sink, tally, options)
  try {
    for (const source of sources) {
      const wanted = await feeder.read(source)
      if (!wanted) return
    }
  } catch (error) {
    if (!options.signal.aborted) throw error
  }
}

class Feeder {
  private readonly window: Window

  constructor(
    private readonly sink: Sink,
    private readonly tally: Tally,
    private readonly options: FeedOptions,
  ) {
    this.window = new Window(options.window)
  }

  /** Whether another source is to be read after this one. */
  async read(source: Source): Promise<boolean> {
    const { mapping, signal } = this.options
    signal.throwIfAborted()
    const splitter = new LineSplitter(mapping.maxLineBytes)
    // Leaving the loop early destroys the stream, which closes its file.
    for await (const chunk of addAbortSignal(signal, source.open())) {
      if (!(await this.takeAll(splitter.push(chunk as Buffer), source.name))) return false
    }
    return this.takeAll(splitter.end(), source.name)
  }

  private async takeAll(lines: Iterable<Line>, source: string): Promise<boolean> {
    const { onMalformed, signal } = this.options
    for (const line of lines) {
      const taken = this.take(line, source)
      if (taken === 'malformed' && onMalformed === 'stop') return false
      if (taken === 'full') await orAborted(this.sink.ready(), signal)
      if (this.window.isFull) await orAborted(this.window.halfEmpty(), signal)
    }
    return true
  }

  private take(line: Line, source: string): 'taken' | 'full' | 'malformed' {
    const { sink, tally, window } = this
    const origin = { source, line: line.number }
    const mapped = toRecord(line, this.options.mapping)
    if ('malformed' in mapped) {
      tally.lineMalformed(origin, mapped.malformed)
      return 'malformed'
    }
    const { topic, key, value } = mapped.record
    tally.accepted++
    window.take(value.length)
    const hasRoom = sink.enqueue(topic, { key, value }, error => {
      window.release(value.length)
      if (error) tally.recordFailed(origin, topic, error)
      else tally.recordDelivered(topic)
    })
    return hasRoom ? 'taken' : 'full'
  }
}
