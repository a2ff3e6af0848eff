import { initProducerIdApi } from '../../../../protocol/messages/initProducerId.js'
import { metadataApi } from '../../../../protocol/messages/metadata.js'
import { produceApi } from '../../../../protocol/messages/produce.js'
import type { ApiRange, Facts } from '../facts.js'
import { isReached } from '../facts.js'
import { type Finding, fine, problem, unknown, warning } from '../finding.js'

/** Which Kafka speaks Produce up to which version; newest first. */
const RELEASES: readonly (readonly [produce: number, release: string])[] = [
  [13, '4.1 or newer'],
  [12, '4.0'],
  [11, '3.8 or 3.9'],
  [10, '3.7'],
  [9, '2.8 to 3.6'],
  [8, '2.4 to 2.7'],
  [7, '2.1 to 2.3'],
  [6, '2.0'],
  [5, '1.0 or 1.1'],
  [3, '0.11'],
]
const OLDEST_PRODUCE = 3
const OLDEST_METADATA = 4

/** Whether what the brokers speak is enough, and the same. */
export function judgeVersions({ brokers, seeds }: Facts): Finding[] {
  const reached = brokers.flatMap(({ nodeId, visited }) =>
    isReached(visited) ? [{ name: `broker ${nodeId}`, apis: visited.apis }] : [],
  )
  const speakers =
    reached.length > 0
      ? reached
      : seeds.filter(isReached).map(({ address, apis }) => ({ name: address, apis }))
  if (speakers.length === 0) return [unknown('the versions are not known: no broker was reached')]
  const releases = new Map<string, string[]>()
  for (const { name, apis } of speakers) {
    const release = releaseOf(apis)
    releases.set(release, [...(releases.get(release) ?? []), name])
  }
  const told = [...releases].map(([release, names]) => `${names.join(', ')}: Kafka ${release}`)
  const tooOld = speakers.filter(({ apis }) => !isEnough(apis)).map(({ name }) => name)
  if (tooOld.length > 0) {
    return [problem(`${tooOld.join(', ')} is too old for this producer`, 'it needs Kafka 0.11 or newer')]
  }
  const same = `the brokers speak like Kafka ${[...releases.keys()][0]}`
  return [
    releases.size === 1
      ? fine(same)
      : warning(
          `the brokers speak like different versions (${told.join('; ')})`,
          'fine while they are being upgraded; what only the newer ones can do comes and goes with the leader',
        ),
    ...speakers
      .filter(({ apis }) => highest(apis, initProducerIdApi.key) < 0)
      .map(({ name }) =>
        warning(
          `${name} has no producer ids`,
          'producers go without idempotence there: a retry may write a record twice',
        ),
      ),
  ]
}

const highest = (apis: readonly ApiRange[], key: number): number =>
  apis.find(each => each.apiKey === key)?.maxVersion ?? -1

const releaseOf = (apis: readonly ApiRange[]): string => {
  const produce = highest(apis, produceApi.key)
  return RELEASES.find(([version]) => produce >= version)?.[1] ?? 'before 0.11'
}

/** Whether a producer of this package can work with a broker that speaks these. */
export const isEnough = (apis: readonly ApiRange[]): boolean =>
  highest(apis, produceApi.key) >= OLDEST_PRODUCE && highest(apis, metadataApi.key) >= OLDEST_METADATA
