import { run } from './run.js'

declare const process: { readonly env: Record<string, string | undefined>; exit(code: number): never }

const brokers = (process.env.KAFKA_BROKERS ?? 'localhost:9092').split(',')
const { total, placed } = await run(brokers, { id: `o-${Date.now()}`, items: [{ price: 4, count: 3 }] })
console.log(`the price is ${total}; placed: ${placed.join(', ')}`)
process.exit(0)
