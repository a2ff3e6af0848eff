import { BrokersUnreachableError } from '../../errors/index.js'
import type { WaitOptions } from '../types.js'
import { Session, type SessionParts } from './session.js'
import { waitFor } from './wait.js'

/** One way to a connected session, shared by all who wait for it, and broken off when the last of them gives up. */
export class Opening {
  private readonly parts: SessionParts
  private readonly work: Promise<void>
  private readonly onGivenUp: () => void
  private readonly startedAt = performance.now()
  /** What is being opened, once there is anything of it. */
  session: Session | undefined
  private broken: { readonly by: unknown } | undefined
  private waiting = 0
  private failures = 0
  private lastFailure: Error | undefined

  /**
   * @param after what must have ended before
   * @param onOpen takes the session
   * @param onGivenUp called when nobody waits any more for what has not ended
   */
  constructor(
    parts: SessionParts,
    after: Promise<void> | undefined,
    onOpen: (session: Session) => void,
    onGivenUp: () => void,
  ) {
    this.parts = parts
    this.onGivenUp = onGivenUp
    this.work = this.open(after, onOpen)
    this.work.catch(() => {})
  }

  /**
   * @throws why there will be no session; {@link BrokersUnreachableError} after `timeoutMs`; the signal's reason
   */
  async wait(options: WaitOptions): Promise<void> {
    this.waiting++
    try {
      await waitFor(this.work, options, timeoutMs => this.tooLate(timeoutMs))
    } catch (error) {
      if (this.waiting === 1) this.breakOff(error)
      throw error
    } finally {
      this.waiting--
    }
  }

  /** Whoever waits is rejected with the error. Resolves when nothing of it is left. */
  async breakOff(error: unknown): Promise<void> {
    if (this.broken === undefined) {
      this.broken = { by: error }
      this.onGivenUp()
    }
    await this.session?.close()
    await this.work.catch(() => {})
  }

  private async open(after: Promise<void> | undefined, onOpen: (session: Session) => void): Promise<void> {
    await after
    this.throwIfBroken()
    const session = new Session(this.parts)
    this.session = session
    try {
      await session.open(error => {
        this.failures++
        this.lastFailure = error
      })
      this.throwIfBroken()
    } catch (error) {
      await session.close()
      this.throwIfBroken()
      throw error
    }
    onOpen(session)
  }

  private throwIfBroken(): void {
    if (this.broken !== undefined) throw this.broken.by
  }

  private tooLate(timeoutMs: number): Error {
    return new BrokersUnreachableError(`No broker could be used within timeoutMs (${timeoutMs} ms):`, {
      attempts: this.failures + 1,
      elapsedMs: performance.now() - this.startedAt,
      cause: this.lastFailure ?? this.session?.pending,
      bound: 'timeoutMs of connect()',
    })
  }
}
