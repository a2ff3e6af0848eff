import net from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { CertificateError } from '../../errors/index.js'
import { isError } from '../../util/realms.js'
import { type Address, addressText } from '../address.js'
import type { ConnectionSettings, SocketFactory } from '../configuration.js'
import { closedError, connectionError } from '../connection/connectionErrors.js'
import { within } from '../connection/timeLimit.js'
import type { ConnectProgress } from './connectProgress.js'

/** How long a connection is silent before TCP itself asks whether the other side is there. ms */
const KEEP_ALIVE_MS = 60_000

/** As kafkajs connects; a host with several addresses is tried at each (RFC 8305). */
export const defaultSocketFactory: SocketFactory = ({ host, port, ssl, onConnect }) => {
  const options = { host, port, autoSelectFamily: true }
  if (!ssl) return net.connect(options, onConnect)
  const servername = net.isIP(host) === 0 ? { servername: host } : {}
  return tls.connect({ ...options, ...servername, ...ssl }, onConnect)
}

/**
 * Connects, TLS included, within `connectionTimeoutMs`. An aborted signal ends that with its reason.
 *
 * @throws KafkaJSConnectionError; {@link CertificateError}
 */
export const openSocket = async (
  settings: ConnectionSettings,
  progress: ConnectProgress,
  signal: AbortSignal,
): Promise<Duplex> => {
  const { address } = progress
  const { connectionTimeoutMs, ssl } = settings
  progress.enter('TCP', connectionTimeoutMs)
  let socket: Duplex | undefined
  try {
    return await within(
      connectionTimeoutMs,
      () => progress.tooLate(),
      signal,
      limit =>
        new Promise<Duplex>((resolve, reject) => {
          if (limit.aborted) return reject(limit.reason)
          const created = create(address, settings, () => resolve(created))
          socket = created
          if (ssl) created.once('connect', () => progress.proceed('TLS'))
          // Stays: what a socket says after its end must not end the process.
          created.on('error', error => reject(socketError(error, address)))
          created.on('timeout', () => reject(connectionError('Connection timeout', address)))
          // An error that tells more may follow: TLS makes one of an end that comes too early.
          created.on('end', () => setImmediate(() => reject(closedError(address))))
          created.on('close', () => reject(closedError(address)))
        }),
    )
  } catch (error) {
    socket?.destroy()
    throw error
  }
}

const create = (
  { host, port }: Address,
  { socketFactory, ssl }: ConnectionSettings,
  onConnect: () => void,
): Duplex => {
  try {
    // kafkajs's type of the factory knows no `false`, its factories are given it.
    const socket = socketFactory({
      host,
      port,
      ssl: ssl as tls.ConnectionOptions,
      onConnect: () => setImmediate(onConnect),
    })
    if (typeof socket?.on !== 'function' || typeof socket.write !== 'function')
      throw new TypeError('socketFactory did not return a Duplex stream')
    if (socket instanceof net.Socket) {
      socket.setNoDelay(true)
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
    }
    return socket
  } catch (error) {
    throw connectionError(
      `Failed to connect: ${isError(error) ? error.message : String(error)}`,
      { host, port },
      error,
    )
  }
}

/** OpenSSL's verdicts on a chain (X509_V_ERR_*), as Node names them in `code`, and Node's own on the name. */
const CERTIFICATE_PROBLEM =
  /CERT_|_CERT|ISSUER|LEAF_SIGNATURE|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_EXCEEDED|_CRL/

const isCertificateProblem = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && CERTIFICATE_PROBLEM.test(error.code)

const socketError = (error: Error, address: Address): Error =>
  isCertificateProblem(error)
    ? new CertificateError(addressText(address), error)
    : connectionError(`Connection error: ${error.message}`, address, error)
