import { createRequire } from 'node:module'

/*
 * kafkajs chooses its retries by NODE_ENV as it is loaded, and 'test' gives it others than users have. To be imported
 * before anything that imports kafkajs.
 */
process.env.NODE_ENV = 'production'

/** Whether kafkajs runs here with the retries that it has outside of its own tests. */
export const hasProductionRetries = (): boolean => {
  const { cache, resolve } = createRequire(import.meta.url)
  const retry = resolve('kafkajs/src/retry/index.js')
  return retry in cache && !(retry.replace('index.js', 'defaults.test.js') in cache)
}
