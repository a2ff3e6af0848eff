import { InvalidOptionsError } from '../../errors/invalidOptionsError.js'
import { isMissing, requireOptional } from '../../util/optionalPackage.js'
import type { MetricsRegistry } from '../options.js'

/**
 * prom-client's global registry, for `metrics: {}`. The one thing that needs prom-client itself: the metrics' classes are this package's
 * own. By `require`, so that creating a producer stays synchronous.
 *
 * @throws {InvalidOptionsError} when prom-client is not found
 */
export const globalRegistry = (load: (name: string) => unknown = requireOptional): MetricsRegistry => {
  try {
    return (load('prom-client') as { readonly register: MetricsRegistry }).register
  } catch (error) {
    if (!isMissing(error, 'prom-client')) throw error
    throw Object.assign(
      new InvalidOptionsError([
        'metrics are on, but prom-client is not installed, or not to be found from a bundle: give metrics.registry (`register` of prom-client), run `npm install prom-client@15`, or leave the option metrics out',
      ]),
      { cause: error },
    )
  }
}
