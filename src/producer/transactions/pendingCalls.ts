/** Calls that have not ended, counted: a transaction may have a million of them. */
export class PendingCalls {
  private count = 0
  private waiters: (() => void)[] = []

  /** @param failed takes the error of a call that fails, before {@link PendingCalls.none} resolves */
  track<T>(call: Promise<T>, failed: (error: Error) => void): Promise<T> {
    this.count++
    call.then(this.ended, error => {
      failed(error)
      this.ended()
    })
    return call
  }

  private readonly ended = (): void => {
    this.count--
    if (this.count > 0) return
    for (const resume of this.waiters.splice(0)) resume()
  }

  /** Resolves when all calls have ended. */
  none(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise(resolve => this.waiters.push(resolve))
  }
}
