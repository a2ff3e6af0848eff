import { asError } from '../../util/realms.js'

/** Of the clusters that run, in the order of their starts. */
const listeners = new Set<NodeJS.UnhandledRejectionListener>()

const rejectionWarning = (error: Error): Error => {
  const warning = new Error(
    `A promise was rejected and nobody handled it while an EmbeddedKafka ran; its close() reports it too: ${error.message}`,
    { cause: error },
  )
  warning.name = 'UnhandledRejectionWarning'
  warning.stack = `${warning.name}: ${warning.message}\n${error.stack ?? ''}`
  return warning
}

/** The process's unhandled rejections while a cluster runs. */
export class UnhandledRejections {
  private readonly report: (reason: unknown) => void

  constructor(report: (reason: unknown) => void) {
    this.report = report
  }

  listen(): void {
    process.on('unhandledRejection', this.note)
    listeners.add(this.note)
  }

  stop(): void {
    process.off('unhandledRejection', this.note)
    listeners.delete(this.note)
  }

  /** Node.js ends a process with an unhandled rejection only where nobody listens: who listens must say so. */
  private readonly note = (reason: unknown): void => {
    this.report(reason)
    const isFirst = listeners.values().next().value === this.note
    const isHeard = process.listeners('unhandledRejection').some(each => !listeners.has(each))
    if (isFirst && !isHeard) process.emitWarning(rejectionWarning(asError(reason)))
  }
}
