import { readFileSync } from 'node:fs'

/** The cases of kafkajs's specs that are about what this package takes over. */
export interface Titles {
  /** Of kafkajs. */
  readonly release: string
  readonly specs: readonly Spec[]
  readonly different: readonly Difference[]
}

export interface Spec {
  readonly file: string
  /** Where the spec stands in the release, if not there. */
  readonly note?: string
  /** With the titles of the blocks around them, joined by ` > `. */
  readonly titles: readonly string[]
}

/** A case that does not hold here, and must not. */
export interface Difference {
  readonly file: string
  readonly title: string
  /** What is wrong with how kafkajs does it. */
  readonly defect: string
  readonly here: string
}

export const titles = JSON.parse(readFileSync(new URL('../titles.json', import.meta.url), 'utf8')) as Titles
