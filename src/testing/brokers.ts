import { asError } from '../util/realms.js'
import { served } from './apis/registry.js'
import { EmbeddedKafkaError } from './checks/embeddedKafkaError.js'
import { UnhandledRejections } from './checks/rejections.js'
import { FaultScripts } from './faults/script.js'
import { Gate } from './gate.js'
import { brokerModel } from './model/brokerModel.js'
import type { EmbeddedKafkaOptions } from './model/options.js'
import type { BrokerContext } from './net/connection.js'
import type { Journal } from './net/journal.js'
import { Listener } from './net/listener.js'
import { ClusterState } from './state/cluster.js'

/** For clients whose `disconnect()` has resolved though their sockets are not closed at this end yet. */
const CLOSE_PATIENCE_MS = 500

/** The running brokers of a cluster: their listeners, the state behind them, and what they find wrong. */
export class Brokers {
  readonly state: ClusterState
  readonly faults = new FaultScripts()
  private readonly pauses = new Map<number, Gate>()
  private readonly defects: Error[] = []
  private readonly report = (error: unknown): void => {
    this.defects.push(asError(error))
  }
  private readonly rejections = new UnhandledRejections(this.report)
  private readonly listeners: readonly Listener[]

  constructor(options: EmbeddedKafkaOptions, journal: Journal) {
    this.state = new ClusterState(
      options,
      brokerModel(options, name => served[name].api),
    )
    let connections = 0
    const context: BrokerContext = {
      cluster: this.state,
      journal,
      faults: this.faults,
      requiresSasl: options.listeners?.sasl !== undefined,
      pauseOf: node => this.pauses.get(node),
      nextConnectionId: () => ++connections,
      report: this.report,
    }
    this.rejections.listen()
    this.listeners = this.state.brokers.map(({ id }) => new Listener(context, id, options.listeners?.tls))
  }

  /** @param basePort the first broker's; 0: free ports */
  async startAll(basePort: number): Promise<void> {
    for (const { id } of this.state.brokers) await this.listen(id, basePort === 0 ? 0 : basePort + id)
  }

  async start(node: number): Promise<void> {
    const broker = this.state.broker(node)
    if (broker.alive) throw new Error(`broker ${node} is running`)
    await this.listen(node, broker.port)
  }

  private async listen(node: number, port: number): Promise<void> {
    const broker = this.state.broker(node)
    broker.port = await this.listeners[node]!.start(broker.host, port)
    this.state.brokerStarted(node)
  }

  async stop(node: number): Promise<void> {
    this.state.brokerStopped(node)
    this.pauses.delete(node)
    await this.listeners[node]!.stop()
  }

  pause(node: number): void {
    this.state.broker(node)
    if (!this.pauses.has(node)) this.pauses.set(node, new Gate())
  }

  resume(node: number): void {
    const pause = this.pauses.get(node)
    this.pauses.delete(node)
    pause?.open()
  }

  cut(node?: number): void {
    for (const [id, listener] of this.listeners.entries())
      if (node === undefined || id === node) listener.cut()
  }

  /** @throws {EmbeddedKafkaError} with what was found wrong */
  async close(clients: 'must-be-gone' | 'may-stay'): Promise<void> {
    const open = clients === 'must-be-gone' ? await this.lingering() : 0
    this.state.close()
    await Promise.all(this.listeners.map(listener => listener.stop()))
    // A rejection counts as unhandled at the end of the turn it happened in.
    await new Promise(resolve => setImmediate(resolve))
    this.rejections.stop()
    const findings = [
      ...this.faults.unused().map(line => new Error(line)),
      ...this.defects,
      ...(open > 0 ? [new Error(`${open} connections of clients still open`)] : []),
    ]
    if (findings.length > 0) throw new EmbeddedKafkaError(findings)
  }

  /** How many clients stay connected though they had time to go. */
  private async lingering(): Promise<number> {
    const patience = AbortSignal.timeout(CLOSE_PATIENCE_MS)
    await Promise.all(this.listeners.map(listener => listener.idle(patience)))
    return this.listeners.reduce((sum, { openSockets }) => sum + openSockets, 0)
  }
}
