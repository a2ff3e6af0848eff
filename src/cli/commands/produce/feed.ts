import { addAbortSignal } from 'node:stream'
import type { Message } from 'kafkajs'
import { orAborted } from '../../connection/connect.js'
import { type Line, LineSplitter } from '../../ndjson/lines.js'
import { type RecordMapping, toRecord } from '../../ndjson/record.js'
import type { Source } from './sources.js'
import type { Tally } from './tally.js'

/** What of the producer the reading end needs. */
export interface Sink {
  enqueue(topic: string, message: Message, onDelivery: (error: Error | null) => void): boolean
  ready(): Promise<void>
}

export interface FeedOptions {
  readonly mapping: RecordMapping
  /** Ends the reading at the first malformed line. */
  readonly onMalformed: 'continue' | 'stop'
  /** Ends the reading. Records taken before stay with the sink. */
  readonly signal: AbortSignal
}

/**
 * Reads the sources one after another into the sink, no faster than it takes them: after a refusal nothing is read until
 * it is ready again. Resolves when everything was read, the first malformed line ended it or the signal aborted; the
 * records themselves may still be on their way.
 *
 * @throws what reading a source throws
 */
export async function feed(
  sources: readonly Source[],
  sink: Sink,
  tally: Tally,
  options: FeedOptions,
): Promise<void> {
  for (const source of sources) {
    try {
      const wanted = await feedSource(source, sink, tally, options)
      if (!wanted) return
    } catch (error) {
      if (options.signal.aborted) return
      throw error
    }
  }
}

async function feedSource(source: Source, sink: Sink, tally: Tally, options: FeedOptions): Promise<boolean> {
  const { mapping, signal } = options
  signal.throwIfAborted()
  const splitter = new LineSplitter(mapping.maxLineBytes)

  /** Takes lines until one asks to stop. */
  const takeAll = async (lines: Iterable<Line>): Promise<boolean> => {
    for (const line of lines) {
      const taken = takeLine(line, source.name, sink, tally, mapping)
      if (taken === 'malformed' && options.onMalformed === 'stop') return false
      if (taken === 'full') await orAborted(sink.ready(), signal)
    }
    return true
  }

  // Leaving the loop early destroys the stream, which closes its file.
  for await (const chunk of addAbortSignal(signal, source.open())) {
    if (!(await takeAll(splitter.push(chunk as Buffer)))) return false
  }
  return takeAll(splitter.end())
}

type Taken = 'taken' | 'full' | 'malformed'

function takeLine(line: Line, source: string, sink: Sink, tally: Tally, mapping: RecordMapping): Taken {
  const origin = { source, line: line.number }
  const mapped = toRecord(line, mapping)
  if ('malformed' in mapped) {
    tally.lineMalformed(origin, mapped.malformed)
    return 'malformed'
  }
  const { topic, key, value } = mapped.record
  tally.accepted++
  const room = sink.enqueue(topic, { key, value }, error => {
    if (error) tally.recordFailed(origin, topic, error)
    else tally.recordDelivered(topic)
  })
  return room ? 'taken' : 'full'
}
