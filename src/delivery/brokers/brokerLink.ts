import { ProducerClosedError } from '../../errors/index.js'
import type { ProduceLink } from '../../transport/port.js'
import { type Backoff, backoffMs } from '../backoff.js'

export interface BrokerLinkSettings {
  readonly connectBackoff: Backoff
  /** After this long without an answer another broker is asked who leads. ms */
  readonly stallMs: number
}

/** What a connection needs of the engine. */
export interface BrokerLinkHost {
  openLink(nodeId: number): Promise<ProduceLink>
  readonly random: () => number
}

/** What the connection tells its sender. */
export interface BrokerLinkOwner {
  readonly isClosed: boolean
  setStuck(isStuck: boolean): void
  /** It takes longer than `stallMs`. */
  connectingIsSlow(): void
  connected(): void
  /** @param wasCurrent no other connection has taken its place */
  disconnected(wasCurrent: boolean): void
  /** The connection could not be made. */
  notConnected(error: Error & { retriable?: boolean }): void
  /** The connection could not be used, for example because it had to log in again, and is closed. */
  notPrepared(error: Error): void
  /** Something may be sent. */
  drain(): void
  schedule(): void
}

/** The connection to one broker that carries records: opened when something is to be sent, again after a backoff. */
export class BrokerLink {
  private readonly nodeId: number
  private readonly settings: BrokerLinkSettings
  private readonly host: BrokerLinkHost
  private readonly owner: BrokerLinkOwner
  private current: ProduceLink | undefined
  /** When the attempt that is under way began, to connect or to log in again; undefined: none is. ms on the clock of `performance.now()` */
  private since: number | undefined
  private failures = 0
  private earliest = 0
  /** Runs while a connection is being made, or logs in again. */
  private patience: NodeJS.Timeout | undefined

  constructor(nodeId: number, settings: BrokerLinkSettings, host: BrokerLinkHost, owner: BrokerLinkOwner) {
    this.nodeId = nodeId
    this.settings = settings
    this.host = host
    this.owner = owner
  }

  get link(): ProduceLink | undefined {
    return this.current
  }

  get openingSince(): number | undefined {
    return this.since
  }

  get isBusy(): boolean {
    return this.since !== undefined
  }

  /** Before this moment no attempt begins. ms on the clock of `performance.now()` */
  get notBefore(): number {
    return this.earliest
  }

  get mayOpen(): boolean {
    return !this.isBusy && this.earliest <= performance.now()
  }

  noteAnswered(): void {
    this.failures = 0
  }

  /** @returns when the next attempt may begin. ms on the clock of `performance.now()` */
  backOff(): number {
    this.failures++
    this.earliest =
      performance.now() + backoffMs(this.settings.connectBackoff, this.failures, this.host.random())
    return this.earliest
  }

  /** @returns false where an attempt is under way already */
  open(now: number): boolean {
    if (this.isBusy) return false
    const { owner } = this
    this.since = now
    const patience = setInterval(() => owner.connectingIsSlow(), this.settings.stallMs)
    this.patience = patience
    this.host.openLink(this.nodeId).then(
      link => {
        clearInterval(patience)
        owner.setStuck(false)
        this.since = undefined
        if (owner.isClosed) return link.destroy(new ProducerClosedError())
        this.current = link
        owner.connected()
        link.onClosed = () => {
          const wasCurrent = this.current === link
          if (wasCurrent) this.current = undefined
          owner.disconnected(wasCurrent)
        }
        owner.drain()
      },
      (error: Error & { retriable?: boolean }) => {
        clearInterval(patience)
        this.since = undefined
        if (!owner.isClosed) owner.notConnected(error)
      },
    )
    return true
  }

  /** Readies a connection that cannot be used as it is, for example because its login ends soon. */
  prepare(link: ProduceLink): void {
    if (this.isBusy) return
    const { owner } = this
    this.since = performance.now()
    const patience = setInterval(() => owner.connectingIsSlow(), this.settings.stallMs)
    this.patience = patience
    link.prepare().then(
      () => {
        clearInterval(patience)
        this.since = undefined
        if (owner.isClosed) return
        owner.setStuck(false)
        owner.schedule()
      },
      (error: Error) => {
        clearInterval(patience)
        this.since = undefined
        // The close may be what made it fail: what is noted then would be a wait that nothing ends.
        if (!owner.isClosed) owner.notPrepared(error)
        link.destroy(error)
      },
    )
  }

  close(error: Error): void {
    clearInterval(this.patience)
    this.current?.destroy(error)
  }
}
