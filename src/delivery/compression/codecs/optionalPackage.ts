import { messageOf } from '../../../errors/bases.js'
import { CompressionUnavailableError } from '../../../errors/compressionUnavailableError.js'
import { isMissing, requireOptional } from '../../../util/optionalPackage.js'

export type Require = (id: string) => unknown

export interface OptionalPackage {
  readonly codec: string
  readonly name: string
  /** Other ways to the codec than installing the package, as a sentence. */
  readonly otherwise: string
}

/**
 * Loads a native package that the user may have installed. By `require`: these packages are CommonJS, and the first
 * batch does not wait for an import.
 *
 * @throws {CompressionUnavailableError} when it is not installed or has no binary for this platform
 */
export const loadOptional = (
  { codec, name, otherwise }: OptionalPackage,
  require: Require = requireOptional,
): Record<string, unknown> => {
  try {
    return require(name) as Record<string, unknown>
  } catch (error) {
    throw new CompressionUnavailableError(
      codec,
      isMissing(error, name)
        ? `Run \`npm install ${name}\`, or ${otherwise}`
        : `The package ${name} could not be loaded (${messageOf(error)}): mend it, or ${otherwise}`,
      error,
    )
  }
}
