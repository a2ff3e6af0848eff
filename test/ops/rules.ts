import { readFileSync } from 'node:fs'

const RULES = readFileSync(new URL('../../ops/alerts.yml', import.meta.url), 'utf8')

export interface AlertRule {
  readonly name: string
  /** On one line. */
  readonly expr: string
  /** Of the runbook. */
  readonly section: string | undefined
}

/** The rules of a text; by default those that the package ships. */
export const readAlerts = (rules = RULES): readonly AlertRule[] =>
  rules
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map(text => {
      const expr = /^ {8}expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/m.exec(text)!
      return {
        name: text.split('\n', 1)[0]!,
        expr: (expr[1] ?? expr[2]!).replace(/\s+/g, ' ').trim(),
        section: /runbook_url: https:\/\/\S+\/docs\/runbook\.md#(\S+)/.exec(text)?.[1],
      }
    })

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * The same rules for a world in which all goes `factor` times as fast: windows of range selectors, offsets, `for`, and the ages that
 * `oldest_record_seconds` is compared with are divided by it. Nothing else changes: not what is selected, and no other threshold.
 */
export const fasterRules = (factor: number): string => {
  const shortened = (amount: string, unit: string): string =>
    `${(Number(amount) * MILLISECONDS[unit]!) / factor}ms`
  return RULES.replace(/\[(\d+)([smh])\]/g, (_, amount, unit) => `[${shortened(amount, unit)}]`)
    .replace(/\boffset (\d+)([smh])/g, (_, amount, unit) => `offset ${shortened(amount, unit)}`)
    .replace(/^( {8}for: )(\d+)([smh])$/gm, (_, head, amount, unit) => head + shortened(amount, unit))
    .replace(/(oldest_record_seconds\) > )(\d+)/g, (_, head, seconds) => `${head}${Number(seconds) / factor}`)
}
