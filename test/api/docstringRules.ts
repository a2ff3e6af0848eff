import type { ApiItem } from './extract.js'

/** Interfaces of options: each field is given by a user. */
const OPTIONS = /(Options|Settings|Rule|Offsets|Spec)$/
/** What needs no example: its value says it all. */
const PLAIN_TYPE = /^[^:]*: *((number|boolean|string|null|undefined|-?\d+|'[^']*'|\||\s)+);?$/
const CALLABLE: ReadonlySet<string> = new Set(['Method', 'MethodSignature', 'Function'])

/** Fields whose name has the unit say it in words too. */
const UNITS: readonly (readonly [name: RegExp, word: RegExp])[] = [
  [/Ms(Ago)?$/, /\bms\b/],
  [/Bytes$/, /\bbytes\b/],
]

const declarationOf = ({ excerptTokens = [] }: ApiItem): string =>
  excerptTokens.map(({ text }) => text).join('')

const isCallable = (item: ApiItem): boolean =>
  CALLABLE.has(item.kind) ||
  (item.kind === 'Variable' && /^(export )?(declare )?const \w+: .*=>|: Verb/.test(declarationOf(item)))

/** The text before the first tag that begins a block. */
const summaryOf = (comment: string): string =>
  comment
    .replaceAll(/^\/\*\*|\*\/$/gm, '')
    .split(/^\s*\* @/m)[0]!
    .replaceAll(/^\s*\* ?/gm, '')
    .trim()

/** A class whose literal name is declared, and an error's constructor, say nothing that their users need. */
const needsNone = (item: ApiItem, owner: ApiItem | undefined): boolean =>
  owner !== undefined &&
  /Error$/.test(owner.name ?? '') &&
  (item.kind === 'Constructor' || item.name === 'name')

interface Rules {
  /** Whether methods say what they throw. */
  readonly throws: boolean
}

const problemsOf = (item: ApiItem, owner: ApiItem | undefined, { throws }: Rules): string[] => {
  const comment = item.docComment ?? ''
  const has = (tag: string): boolean => new RegExp(`^\\s*\\* @${tag}\\b`, 'm').test(comment)
  const isOption = item.kind === 'PropertySignature' && OPTIONS.test(owner?.name ?? '')
  const name = item.name ?? ''
  return [
    summaryOf(comment) === '' && !has('internal') ? 'has no docstring' : undefined,
    isOption && !has('defaultValue') && !/\bRequired\b/.test(comment)
      ? 'has neither a @defaultValue nor the word Required'
      : undefined,
    isOption && !PLAIN_TYPE.test(declarationOf(item)) && !has('example')
      ? 'is an option without an @example'
      : undefined,
    isCallable(item) && !has('example') && !has('internal') ? 'can be called and has no @example' : undefined,
    throws && isCallable(item) && !has('throws')
      ? 'can be called and does not say what it @throws'
      : undefined,
    ...UNITS.map(([ending, word]) =>
      ending.test(name) && !word.test(comment)
        ? `does not say its unit (${word.source.replaceAll('\\b', '')})`
        : undefined,
    ),
  ].filter(problem => problem !== undefined)
}

/** What a declaration and its members lack; empty where their docstrings are whole. */
export const docstringProblems = (item: ApiItem, rules: Rules): string[] => {
  const own = problemsOf(item, undefined, rules).map(problem => `${item.name} ${problem}`)
  const members = (item.members ?? [])
    .filter(member => !needsNone(member, item))
    .flatMap(member =>
      problemsOf(member, item, rules).map(problem => `${item.name}.${member.name ?? member.kind} ${problem}`),
    )
  return [...own, ...members]
}

/** The text of a `@defaultValue`, in one line. */
export const defaultIn = ({ docComment = '' }: ApiItem): string | undefined =>
  /^\s*\* @defaultValue ([\s\S]*?)(?=^\s*\* @|\*\/)/m
    .exec(docComment)?.[1]
    ?.replaceAll(/\s*\n\s*\*\s*/g, ' ')
    .trim()
