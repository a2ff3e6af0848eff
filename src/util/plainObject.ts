/** An object whose fields are not checked yet. */
export type PlainObject = Record<string, unknown>

export const isObject = (value: unknown): value is PlainObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is undefined is left out, so that it covers nothing that another source says. */
export const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

/** As `defined`; null, too, is how some leave out an option of kafkajs. */
export const given = <T extends object>(options: T | null | undefined): T =>
  Object.fromEntries(
    Object.entries(options ?? {}).filter(([, value]) => value !== undefined && value !== null),
  ) as T
