import { printable } from '../util/printable.js'
import { NonRetriableError } from './bases.js'

/**
 * A broker's TLS certificate does not verify; `cause` is Node's error. It ends the first `connect()`; later, and at an address that a broker
 * advertises, it is retried.
 */
export class CertificateError extends NonRetriableError {
  static override readonly name: string = 'CertificateError'

  /** The broker's address, as `host:port`. */
  readonly broker: string
  /** Node's code, such as DEPTH_ZERO_SELF_SIGNED_CERT. */
  readonly code: string

  constructor(broker: string, cause: Error & { readonly code?: unknown }) {
    const code = String(cause.code)
    const remedy =
      code === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? 'Connect by a name that the certificate holds, or set ssl.servername.'
        : "Give the certificate of the authority that signed it in ssl.ca, and check the certificate's dates."
    super(
      printable(
        `The TLS certificate of the broker ${broker} does not verify: ${cause.message} (${code}). ${remedy}`,
      ),
      { cause },
    )
    this.broker = broker
    this.code = code
  }
}
