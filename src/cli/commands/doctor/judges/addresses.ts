import type { Broker, Facts, Visited } from '../facts.js'
import { isReached } from '../facts.js'
import { type Finding, fine, problem, warning } from '../finding.js'

/** Whether the brokers can be reached where they say they are: clients connect there, not where they began. */
export function judgeAddresses({ seeds, brokers }: Facts): Finding[] {
  return [
    ...seeds.map(seed => judgeSeed(seed, seeds)),
    ...oneCluster(seeds),
    ...brokers.flatMap(judgeBroker(brokers, seeds)),
  ]
}

function judgeSeed(seed: Visited, seeds: readonly Visited[]): Finding {
  if (isReached(seed)) return fine(`${seed.address} answers`)
  const says = `${seed.address} cannot be reached: ${seed.unreachable}`
  return seeds.some(isReached)
    ? warning(
        says,
        `another address answers, so that clients begin there; take this one from the list, or mend it${seed.remedy ? ` (${seed.remedy})` : ''}`,
      )
    : problem(says, seed.remedy ?? 'look at the address, the network between, and whether the broker runs')
}

function oneCluster(seeds: readonly Visited[]): Finding[] {
  const ids = new Set(seeds.filter(isReached).flatMap(({ clusterId }) => clusterId ?? []))
  if (ids.size < 2) return []
  return [
    problem(
      `the given addresses belong to ${ids.size} clusters: ${[...ids].join(', ')}`,
      'give addresses of one cluster only: which of them a client uses is chance',
    ),
  ]
}

/** What a broker says that is asked for the settings of another one. */
const INVALID_REQUEST = 42

const judgeBroker =
  (brokers: readonly Broker[], seeds: readonly Visited[]) =>
  ({ nodeId, visited, settings }: Broker): Finding[] => {
    const { address } = visited
    const others = brokers.filter(each => each.nodeId !== nodeId && each.visited.address === address)
    if (others.length > 0) {
      return [
        problem(
          `broker ${nodeId} advertises ${address}, and so does broker ${others.map(each => each.nodeId).join(', ')}`,
          'give each broker its own advertised.listeners: clients cannot tell them apart',
        ),
      ]
    }
    if (settings && 'refusal' in settings && settings.code === INVALID_REQUEST) {
      return [
        problem(
          `broker ${nodeId} advertises ${address}, where another broker answers`,
          'give it an advertised.listeners of its own, and let nothing between send its connections elsewhere',
        ),
      ]
    }
    if (isReached(visited))
      return [fine(`broker ${nodeId} is reached at the address it advertises, ${address}`)]
    return [
      problem(
        `broker ${nodeId} advertises ${address}, which cannot be reached from here: ${visited.unreachable}`,
        `${whatToDo(address, seeds)}: clients connect to what a broker advertises, not to the address they began with`,
      ),
    ]
  }

const LOCAL = /^(localhost|127\.|\[?::1|0\.0\.0\.0)/

function whatToDo(address: string, seeds: readonly Visited[]): string {
  const isLocalElsewhere = LOCAL.test(address) && !seeds.some(each => LOCAL.test(each.address))
  return isLocalElsewhere
    ? 'it names the machine it runs on “this machine”: set its advertised.listeners to an address that leads to it from here'
    : 'set its advertised.listeners to a name that resolves and a port that is open from here (a container’s has to be published), or make this one so'
}
