/** Why sends failed: a name or code of the error, how often, and one in full. */
export interface FailureCount {
  readonly name: string
  readonly count: number
  readonly example: string
}

/** Counts errors by their kind, and keeps one of each. */
export class Failures {
  private readonly byName = new Map<string, { count: number; example: string }>()

  add(error: unknown): void {
    const name = nameOf(error)
    const known = this.byName.get(name)
    if (known !== undefined) known.count++
    else this.byName.set(name, { count: 1, example: error instanceof Error ? error.message : String(error) })
  }

  get counts(): FailureCount[] {
    return [...this.byName].map(([name, { count, example }]) => ({ name, count, example }))
  }

  get total(): number {
    let sum = 0
    for (const { count } of this.byName.values()) sum += count
    return sum
  }
}

const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  return code === undefined ? error.name : `${error.name} (${String(code)})`
}

/** What a client's error says of the record's fate: most say nothing. */
export const outcomeIn = (error: unknown): 'not-written' | 'unknown' =>
  (error as { outcome?: unknown } | undefined)?.outcome === 'not-written' ? 'not-written' : 'unknown'
