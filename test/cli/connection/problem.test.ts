import { expect, it } from 'vitest'
import { connectionProblem } from '../../../src/cli/connection/problem.js'

// What the transport says of a web server ("HTTP" read as a size), of a TLS alert, and of other strangers.
it.each([
  'The broker web:80 sent a response of 1213486160 bytes',
  'The broker db:9093 sent a response of 352518912 bytes',
  'The broker db:9092 sent a response that cannot be read',
  'The broker db:9092 sent an answer to request 7 where 1 was expected',
  'The broker db:9092 could not be understood: out of range',
])('takes "%s" for a stranger', message => {
  expect(connectionProblem(message)).toBe(
    'what it sends is not Kafka (another service, or does it want TLS?)',
  )
})
