import { pick, type Random, whole } from '../random.js'
import type { Connection } from './connection.js'
import type { TcpProxy } from './tcpProxy.js'

/** A kind of trouble on one connection, and how likely it is among the others. */
interface Trick {
  readonly weight: number
  readonly play: (connection: Connection, random: Random) => string
}

const TRICKS: readonly Trick[] = [
  {
    weight: 4,
    play: connection => {
      connection.cut()
      return 'cut'
    },
  },
  {
    weight: 3,
    play: connection => {
      connection.cutInAnAnswer()
      return 'cut in the middle of an answer'
    },
  },
  {
    weight: 3,
    play: connection => {
      connection.cutInARequest()
      return 'cut in the middle of a request'
    },
  },
  {
    weight: 4,
    play: (connection, random) => {
      const ms = whole(random, 100, 2_500)
      connection.stall(ms)
      return `stalled for ${ms} ms`
    },
  },
  {
    weight: 3,
    play: (connection, random) => {
      const bytesPerSecond = whole(random, 5_000, 50_000)
      connection.slow(bytesPerSecond, whole(random, 500, 3_000))
      return `slowed to ${Math.round(bytesPerSecond / 1000)} kB/s`
    },
  },
  {
    weight: 3,
    play: connection => {
      connection.endAnswers()
      return 'half-closed by the broker'
    },
  },
  {
    weight: 3,
    play: connection => {
      connection.endRequests()
      return 'half-closed by the client'
    },
  },
  {
    weight: 1,
    play: connection => {
      connection.mute()
      return 'muted for good'
    },
  },
]

/**
 * Plays one trick, that the random numbers choose, on one of the open connections.
 *
 * @returns what was done; undefined where no connection is open
 */
export const playTrick = (proxies: readonly TcpProxy[], random: Random): string | undefined => {
  const targets = proxies.flatMap((proxy, i) =>
    proxy.connections.map(connection => ({ connection, node: i + 1 })),
  )
  if (targets.length === 0) return undefined
  const { connection, node } = pick(random, targets)
  return `a connection to broker ${node} ${draw(random).play(connection, random)}`
}

const draw = (random: Random): Trick => {
  let left = random() * TRICKS.reduce((sum, { weight }) => sum + weight, 0)
  return TRICKS.find(({ weight }) => (left -= weight) < 0) ?? TRICKS[0]!
}
