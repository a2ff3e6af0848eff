import { readdirSync } from 'node:fs'
import { type AnyApi, wireContext } from '../../../src/protocol/api.js'
import type { Codec, WireContext } from '../../../src/protocol/wire/codec.js'

export interface MessageCase {
  readonly api: AnyApi
  readonly what: 'request' | 'response'
  readonly version: number
  readonly codec: Codec<unknown, never>
  readonly context: WireContext
}
export type ProtocolApi = AnyApi & Record<'request' | 'response', Codec<unknown, never>>

const folder = new URL('../../../src/protocol/messages/', import.meta.url)

/** Every API that is defined: one per file. */
export const allApis = async (): Promise<ProtocolApi[]> => {
  const modules = await Promise.all(
    readdirSync(folder)
      .filter(file => file.endsWith('.ts'))
      .map(file => import(/* @vite-ignore */ new URL(file, folder).href) as Promise<Record<string, unknown>>),
  )
  return modules.flatMap(module => Object.values(module).filter(isApi))
}

const isApi = (value: unknown): value is ProtocolApi =>
  typeof value === 'object' && value !== null && 'request' in value && 'response' in value

/** Both messages of an API in every version. */
export const messagesOf = (api: ProtocolApi): MessageCase[] =>
  Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => api.minVersion + i).flatMap(version =>
    (['request', 'response'] as const).map(what => ({
      api,
      what,
      version,
      codec: api[what],
      context: wireContext(api, version),
    })),
  )
