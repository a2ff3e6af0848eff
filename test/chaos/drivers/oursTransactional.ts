import { createResilientProducer, type ResilientProducer } from 'kafkajs-resilient-producer'
import {
  type Acknowledgement,
  DELIVERY_TIMEOUT_MS,
  type Driver,
  type OfferedRecord,
  type OpenDriver,
} from './driver.js'
import { driverOf, kafkaOf, loginOf } from './kafkajs.js'

/** More would make a transaction that fails cost too much. */
const RECORDS = 500

interface Offered {
  readonly record: OfferedRecord
  readonly resolve: (at: Acknowledgement) => void
  readonly reject: (error: unknown) => void
}

/** One transaction after the other, each of what was offered meanwhile: a record is acknowledged by the commit of its own. */
class TransactionalDriver implements Driver {
  private readonly producer: ResilientProducer
  private readonly login: { username: string } | undefined
  private readonly offered: Offered[] = []
  private running: Promise<void> | undefined

  constructor(producer: ResilientProducer, login: { username: string } | undefined) {
    this.producer = producer
    this.login = login
  }

  useUser(username: string): void {
    if (this.login !== undefined) this.login.username = username
  }

  connect(): Promise<void> {
    return this.producer.connect()
  }

  send(record: OfferedRecord): Promise<Acknowledgement> {
    return new Promise((resolve, reject) => {
      this.offered.push({ record, resolve, reject })
      this.running ??= this.run()
    })
  }

  async close(): Promise<void> {
    await this.running
    await this.producer.disconnect()
  }

  private async run(): Promise<void> {
    // What else is offered in this turn comes along.
    await new Promise(resolve => setImmediate(resolve))
    while (this.offered.length > 0) await this.write(this.offered.splice(0, RECORDS))
    this.running = undefined
  }

  private async write(records: readonly Offered[]): Promise<void> {
    try {
      const transaction = await this.producer.transaction()
      try {
        const { send } = driverOf({ ...this.producer, send: transaction.send })
        const sends = records.map(({ record }) => send(record))
        for (const each of sends) each.catch(() => undefined)
        await transaction.commit()
        const places = await Promise.all(sends)
        for (const [i, { resolve }] of records.entries()) resolve(places[i]!)
      } catch (error) {
        if (transaction.isActive()) await transaction.abort()
        throw error
      }
    } catch (error) {
      for (const { reject } of records) reject(error)
      await this.recover()
    }
  }

  /** A producer of which no transaction can be had any more is connected again. */
  private async recover(): Promise<void> {
    try {
      await (await this.producer.transaction()).abort()
    } catch {
      await this.producer.disconnect()
      await this.producer.connect()
    }
  }
}

export const open: OpenDriver = async options => {
  const login = loginOf(options)
  const producer = createResilientProducer(kafkaOf(options, login), {
    deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
    transactionalId: 'chaos',
  })
  return new TransactionalDriver(producer, login)
}
