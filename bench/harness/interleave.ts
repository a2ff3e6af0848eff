/** What a round gave, by id, one a round; undefined where the run failed. */
export interface Interleaved<T> {
  readonly samples: ReadonlyMap<string, (T | undefined)[]>
  readonly failures: readonly string[]
}

export interface Named {
  readonly id: string
  readonly label: string
  readonly tuning: string
}

const rotated = <T>(all: readonly T[], by: number): T[] => [...all.slice(by), ...all.slice(0, by)]

/** Whether the items of a round run one after the other, or all at once: for work that leaves the machine nearly idle. */
export type Order = 'inTurn' | 'together'

/**
 * Every item once a round. In turn, each round beginning with another one, so that neither a slow drift of the machine nor what
 * the one before left behind favours anybody; together, so that the machine's noise meets all alike. A failed run is reported and leaves a gap.
 */
export const interleave = async <I extends Named, T>(
  items: readonly I[],
  rounds: number,
  once: (item: I, round: number) => Promise<T>,
  order: Order = 'inTurn',
): Promise<Interleaved<T>> => {
  const samples = new Map(items.map(({ id }) => [id, [] as (T | undefined)[]]))
  const failures: string[] = []
  for (let round = 1; round <= rounds; round++) {
    const run = async (item: I): Promise<void> => {
      const sample = await once(item, round).catch((error: Error) => {
        const where = `${item.label} (${item.tuning}), round ${round}`
        failures.push(`${where}: ${error.message.split('\n').slice(0, 2).join(' ')}`)
        return undefined
      })
      samples.get(item.id)!.push(sample)
    }
    const lineUp = rotated(items, round % items.length)
    if (order === 'together') await Promise.all(lineUp.map(run))
    else for (const item of lineUp) await run(item)
  }
  return { samples, failures }
}
