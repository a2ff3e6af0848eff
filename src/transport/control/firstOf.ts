import { isError } from '../../util/realms.js'
export interface Race<Candidate, Result> {
  readonly candidates: AsyncIterator<Candidate, unknown>
  /** How long the newest attempt has before the next candidate is tried beside it. ms */
  readonly besideMs: number
  /** Has to settle, and soon after `over` is aborted: nobody waits for it then. */
  attempt(candidate: Candidate, over: AbortSignal): Promise<Result>
  /** The candidate was not first within `besideMs`. */
  onSlow(candidate: Candidate): void
  /** What an attempt gave after another one had won. */
  discard(result: Result): void
  /** Whether no other candidate could mend it. */
  isFinal(error: unknown, othersPending: boolean): boolean
  /** Ends the race with its reason. */
  readonly signal: AbortSignal
}

/**
 * Tries one candidate after the other until one succeeds: the next one when an attempt fails, and beside it when it is slow.
 *
 * @throws a final error at once; else, when there is no other candidate and every attempt has ended, one that is not retriable before
 *   any other, and the last before earlier ones
 */
export const firstOf = <Candidate, Result>(race: Race<Candidate, Result>): Promise<Result> => {
  const over = new AbortController()
  return new Promise<Result>((resolve, reject) => {
    let pending = 0
    let advancing = false
    let isExhausted = false
    let isSettled = false
    let lastError: unknown
    let timer: NodeJS.Timeout | undefined

    const settle = (end: () => void): void => {
      if (isSettled) return
      isSettled = true
      clearTimeout(timer)
      race.signal.removeEventListener('abort', onAbort)
      end()
      over.abort(new Error('another broker was first'))
    }
    const onAbort = (): void => settle(() => reject(race.signal.reason))
    const note = (error: unknown): void => {
      if (lastError === undefined || isRetriable(lastError)) lastError = error
    }
    const endIfDone = (): void => {
      if (isExhausted && pending === 0) settle(() => reject(lastError))
    }
    const failed = (error: unknown): void => {
      pending--
      if (isSettled) return
      if (race.isFinal(error, pending > 0)) return settle(() => reject(error))
      note(error)
      void advance()
      endIfDone()
    }
    const advance = async (): Promise<void> => {
      if (isSettled || advancing || isExhausted) return
      advancing = true
      clearTimeout(timer)
      const step = await race.candidates.next().catch(error => {
        note(error)
        return undefined
      })
      advancing = false
      if (isSettled) return
      if (step === undefined || step.done === true) {
        isExhausted = true
        return endIfDone()
      }
      const candidate = step.value
      pending++
      timer = setTimeout(() => {
        race.onSlow(candidate)
        void advance()
      }, race.besideMs)
      race.attempt(candidate, over.signal).then(result => {
        pending--
        if (isSettled) race.discard(result)
        else settle(() => resolve(result))
      }, failed)
    }
    if (race.signal.aborted) return onAbort()
    race.signal.addEventListener('abort', onAbort, { once: true })
    void advance()
  })
}

const isRetriable = (error: unknown): boolean =>
  !(isError(error) && 'retriable' in error && error.retriable === false)
