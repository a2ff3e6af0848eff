/** `unknown`: the cluster does not tell. Only a `problem` makes the exit status 1. */
export type Level = 'fine' | 'unknown' | 'warning' | 'problem'

/** What one look at the cluster came to, in plain words. */
export interface Finding {
  readonly level: Level
  readonly says: string
  /** What to do about it. */
  readonly remedy?: string | undefined
}

export const fine = (says: string): Finding => ({ level: 'fine', says })
export const unknown = (says: string, remedy?: string): Finding => ({ level: 'unknown', says, remedy })
export const warning = (says: string, remedy: string): Finding => ({ level: 'warning', says, remedy })
export const problem = (says: string, remedy: string): Finding => ({ level: 'problem', says, remedy })
