import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { alterUserScramCredentialsApi } from './apis.js'
import { askAny } from './ask.js'

export const USER = 'producer'
/** Of every user. */
export const PASSWORD = 'a password for the loopback address'

const SCRAM_SHA_256 = 1
const ITERATIONS = 4096

/** A user who is there already can still log in. */
export const addUser = async (addresses: readonly string[], name: string): Promise<void> => {
  const salt = randomBytes(16)
  const saltedPassword = pbkdf2Sync(PASSWORD, salt, ITERATIONS, 32, 'sha256')
  const upsertion = { name, mechanism: SCRAM_SHA_256, iterations: ITERATIONS, salt, saltedPassword }
  const { results } = await askAny(addresses, alterUserScramCredentialsApi, 0, {
    deletions: [],
    upsertions: [upsertion],
  })
  throwIfFailed(`adding user ${name}`, results)
}

/** From here on logins of this user are refused; connections that are logged in stay. */
export const removeUser = async (addresses: readonly string[], name: string): Promise<void> => {
  const { results } = await askAny(addresses, alterUserScramCredentialsApi, 0, {
    deletions: [{ name, mechanism: SCRAM_SHA_256 }],
    upsertions: [],
  })
  throwIfFailed(`removing user ${name}`, results)
}

const throwIfFailed = (
  act: string,
  [result]: readonly { readonly errorCode: number; readonly errorMessage: string | null }[],
): void => {
  if (result?.errorCode === 0) return
  throw new Error(`${act} failed: ${result?.errorMessage ?? result?.errorCode}`)
}
