export type HedgeAttempt = 'first' | 'second'

/** A request that is followed by a second one when it is late. */
export interface HedgedRequest<A> {
  send(attempt: HedgeAttempt): Promise<A>
  /** Whether there may be another broker to ask. Called when the first request is late. */
  canHedge(): boolean
  /** An answer that came after the other one. */
  onLateAnswer(answer: A): void
  /** How long the first may take. ms */
  readonly lateAfterMs: number
}

export interface HedgedAnswer<A> {
  readonly answer: A
  readonly attempt: HedgeAttempt
}

/**
 * Resolves with the answer that comes first. A request that fails does not fail the whole while the other is open.
 *
 * @throws the error of the first request, when none is answered
 */
export const askHedged = async <A>(request: HedgedRequest<A>): Promise<HedgedAnswer<A>> => {
  const first = request.send('first')
  if (!(await isLate(first, request.lateAfterMs)) || !request.canHedge())
    return { answer: await first, attempt: 'first' }
  const firstAnswer = first.then((answer): HedgedAnswer<A> => ({ answer, attempt: 'first' }))
  const secondAnswer = request
    .send('second')
    .then((answer): HedgedAnswer<A> => ({ answer, attempt: 'second' }))
  const winner = await Promise.any([firstAnswer, secondAnswer]).catch(() => firstAnswer)
  const loser = winner.attempt === 'first' ? secondAnswer : firstAnswer
  loser.then(
    ({ answer }) => request.onLateAnswer(answer),
    () => {},
  )
  return winner
}

const isLate = (request: Promise<unknown>, afterMs: number): Promise<boolean> =>
  new Promise(resolve => {
    const timer = setTimeout(() => resolve(true), afterMs)
    const inTime = (): void => {
      clearTimeout(timer)
      resolve(false)
    }
    request.then(inTime, inTime)
  })
