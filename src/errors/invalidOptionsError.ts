import { NonRetriableError } from './bases.js'

/** Options that cannot work. One error has every problem. */
export class InvalidOptionsError extends NonRetriableError {
  static override readonly name: string = 'InvalidOptionsError'

  /** Each problem as a sentence that names the option. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? `Invalid option: ${problems[0]}`
        : `Invalid options:\n${problems.map(each => `  - ${each}`).join('\n')}`,
    )
    this.problems = problems
  }
}
