import { context, type Span, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import type { StoredRecord } from 'kafkajs-resilient-producer/testing'

/** A provider of its own with all its spans, and a context manager for the process. */
export class Spans {
  readonly propagator = new W3CTraceContextPropagator()
  private readonly exporter = new InMemorySpanExporter()
  readonly tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.exporter)],
  })
  private readonly tracer = this.tracerProvider.getTracer('test')

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  }

  /** Runs the function under a span of this name, which has ended when the promise resolves. */
  async under<T>(name: string, run: (span: Span) => T | Promise<T>): Promise<T> {
    const span = this.tracer.startSpan(name)
    try {
      return await context.with(trace.setSpan(context.active(), span), () => run(span))
    } finally {
      span.end()
    }
  }

  get ended(): ReadableSpan[] {
    return this.exporter.getFinishedSpans()
  }

  named(name: string): ReadableSpan[] {
    return this.ended.filter(each => each.name === name)
  }

  one(name: string): ReadableSpan {
    const [span, ...others] = this.named(name)
    if (span === undefined || others.length > 0) throw new Error(`${others.length + 1} or no spans ${name}`)
    return span
  }

  end(): void {
    context.disable()
  }
}

export const traceparentOf = (span: ReadableSpan): string => {
  const { traceId, spanId } = span.spanContext()
  return `00-${traceId}-${spanId}-01`
}

/** The header's values in a record: several, when it was written more than once. */
export const headerOf = (record: StoredRecord, name: string): string[] =>
  record.headers.filter(each => each.key.toLowerCase() === name).map(each => String(each.value))

/** Frozen to its depth: an attempt to change it throws. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const each of Object.values(value)) frozen(each)
    Object.freeze(value)
  }
  return value
}
