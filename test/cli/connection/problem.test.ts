import { expect, it } from 'vitest'
import { connectionProblem } from '../../../src/cli/connection/problem.js'

// What the transport says of a web server ("HTTP" read as a size), of TLS alerts, of an SSH server ...
it.each([
  [0x48545450, 'an HTTP server listens there: name the broker’s own port in --brokers (often 9092)'],
  [0x15030100, 'it speaks TLS on this port: pass --tls'],
  [0x15030300, 'it speaks TLS on this port: pass --tls'],
  [0x5353482d, 'an SSH server listens there: name the broker’s own port in --brokers (often 9092)'],
])('tells who answers with a size of %i bytes', (size, says) => {
  expect(connectionProblem(`The broker web:80 sent a response of ${size} bytes`)).toBe(says)
})

// ... and of other strangers.
it.each([
  'The broker db:9092 sent a response of 1999999999 bytes',
  'The broker db:9092 sent a response that cannot be read',
  'The broker db:9092 sent an answer to request 7 where 1 was expected',
  'The broker db:9092 could not be understood: out of range',
])('takes "%s" for a stranger', message => {
  expect(connectionProblem(message)).toBe(
    'what it sends is not Kafka: name the broker’s own port in --brokers, or pass --tls if it wants TLS',
  )
})

it.each([
  [
    'Request is not valid given the current SASL state',
    'it takes no SASL login on this port: leave --sasl-mechanism off',
  ],
  ['SASL PLAIN mechanism is not supported by the server', 'choose another with --sasl-mechanism'],
])('gives the remedy for "%s"', (message, remedy) => {
  expect(connectionProblem(message)).toContain(remedy)
})
