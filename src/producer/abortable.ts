/** What a call may be withdrawn by. */
export interface Abortable {
  /**
   * When it is aborted, the records of the call that are in no request yet are withdrawn: they fail with {@link SendAbortedError}. Those in a
   * request end as they would have.
   *
   * @defaultValue none
   * @example
   * await producer.send({ topic: 'orders', messages: [{ value: 'paid' }], signal: AbortSignal.timeout(500) })
   */
  readonly signal?: AbortSignal | undefined
}
