import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

interface Registered {
  readonly schema: string
  readonly schemaType?: string
}

export interface SchemaRegistryServer {
  /** For its clients: `http://host:port`. */
  readonly host: string
  close(): Promise<void>
}

/** A schema registry by its REST interface, as far as a client that registers, encodes and decodes asks it. In memory. */
export async function startSchemaRegistry(): Promise<SchemaRegistryServer> {
  const schemas: Registered[] = []
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown) =>
      response
        .writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
        .end(JSON.stringify(body))
    const [, first, second, third] = (request.url ?? '').split('/')
    if (request.method === 'POST' && first === 'subjects') {
      const { schema, schemaType } = (await json(request)) as Registered
      const known = schemas.findIndex(each => each.schema === schema)
      const index = known >= 0 ? known : schemas.push({ schema, ...(schemaType ? { schemaType } : {}) }) - 1
      return answer(200, { id: index + 1 })
    }
    if (first === 'schemas' && second === 'ids') {
      const found = schemas[Number(third) - 1]
      return found ? answer(200, found) : answer(404, { error_code: 40403, message: 'Schema not found' })
    }
    if (first === 'config') return answer(200, { compatibilityLevel: 'BACKWARD' })
    return answer(404, { error_code: 40401, message: 'Subject not found' })
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
