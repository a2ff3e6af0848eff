import type { Socket } from 'node:net'
import { Pipe } from './pipe.js'

/** A client's connection to a broker, with the proxy in its middle. */
export class Connection {
  private readonly client: Socket
  private readonly broker: Socket
  private readonly requests: Pipe
  private readonly answers: Pipe
  private readonly timers = new Set<NodeJS.Timeout>()
  /** Whether anything can still be done to it. */
  isWhole = true

  constructor(client: Socket, broker: Socket, onClosed: (connection: Connection) => void) {
    this.client = client
    this.broker = broker
    this.requests = new Pipe(client, broker)
    this.answers = new Pipe(broker, client)
    let open = 2
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.isWhole = false
        // A side that is gone takes no more: the other one learns of it as it would without a proxy.
        if (!other.destroyed && socket.errored !== null) other.destroy()
        if (--open === 0) this.closed(onClosed)
      })
    }
  }

  /** Resets both sides. */
  cut(): void {
    this.isWhole = false
    this.client.resetAndDestroy()
    this.broker.resetAndDestroy()
  }

  /** Lets half of the next answer through, then closes both sides: a reset would take the half back. */
  cutInAnAnswer(): void {
    this.isWhole = false
    this.answers.cutInTheMiddle(() => this.destroy())
  }

  /** The same with the next request: the broker must not take the half for a whole one. */
  cutInARequest(): void {
    this.isWhole = false
    this.requests.cutInTheMiddle(() => this.destroy())
  }

  stall(ms: number): void {
    this.requests.stall()
    this.answers.stall()
    this.later(ms, () => {
      this.requests.resume()
      this.answers.resume()
    })
  }

  /** The broker's next answers come after this time at the earliest, as behind a slow handshake. */
  holdAnswers(ms: number): void {
    this.answers.stall()
    this.later(ms, () => this.answers.resume())
  }

  /** From here on each answer comes this much later. ms */
  delayAnswers(ms: number): void {
    this.answers.delay(ms)
  }

  slow(bytesPerSecond: number, ms: number): void {
    this.requests.slow(bytesPerSecond)
    this.answers.slow(bytesPerSecond)
    this.later(ms, () => {
      this.requests.slow(Infinity)
      this.answers.slow(Infinity)
    })
  }

  /** The client hears the broker's end, and no more answers; its requests still arrive. */
  endAnswers(): void {
    this.isWhole = false
    this.answers.mute()
    this.client.end()
  }

  /** The broker hears the client's end, as if the client had shut down its side; the broker's answers still arrive. */
  endRequests(): void {
    this.isWhole = false
    this.requests.mute()
    this.broker.end()
  }

  /** Nothing passes any more, and nobody is told: a firewall that forgot the connection. */
  mute(): void {
    this.isWhole = false
    this.requests.mute()
    this.answers.mute()
  }

  destroy(): void {
    this.client.destroy()
    this.broker.destroy()
  }

  private later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      act()
    }, ms)
    this.timers.add(timer)
  }

  private closed(tell: (connection: Connection) => void): void {
    for (const timer of this.timers) clearTimeout(timer)
    this.requests.close()
    this.answers.close()
    tell(this)
  }
}
