import { types } from 'node:util'
import { isObject } from '../../util/plainObject.js'

type Check = (value: unknown) => string | undefined

const countOrDefault =
  (max: number): Check =>
  value =>
    value === -1 || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max)
      ? undefined
      : `-1 (the broker's default) or a whole number from 1 to ${max}`

const isConfigEntry = (entry: unknown): boolean =>
  isObject(entry) && typeof entry.name === 'string' && entry.name !== '' && typeof entry.value === 'string'

const settings: Readonly<Record<string, Check>> = {
  create: value =>
    value === 'broker' || value === 'admin' || value === 'never' ? undefined : "'broker', 'admin' or 'never'",
  waitForMs: value =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 ? undefined : 'a number of ms from 0',
  partitions: countOrDefault(2 ** 31 - 1),
  replicationFactor: countOrDefault(2 ** 15 - 1),
  configEntries: value =>
    Array.isArray(value) && value.every(isConfigEntry) ? undefined : 'an array of { name, value } strings',
}

/** Each problem names the option, so that it stands alone in a list. An option that is undefined is not given. */
export const checkSettings = (path: string, given: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(given).flatMap(([name, value]) => {
    const check = Object.hasOwn(settings, name) ? settings[name] : undefined
    if (!check) return [`${path} has no option ${JSON.stringify(name)}`]
    const expected = value === undefined ? undefined : check(value)
    return expected === undefined ? [] : [`${path}.${name} must be ${expected}`]
  })

export const checkRule = (path: string, rule: unknown): readonly string[] => {
  if (!isObject(rule)) return [`${path} must be an object`]
  const { match, ...overrides } = rule
  const problems = checkSettings(path, overrides)
  const usable =
    (typeof match === 'string' && match !== '') || types.isRegExp(match) || typeof match === 'function'
  return usable
    ? problems
    : [`${path}.match must be a topic's name, a glob with *, a RegExp or a function`, ...problems]
}
