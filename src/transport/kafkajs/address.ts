/** Where a broker listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

export const addressKey = ({ host, port }: Address): string => `${host}:${port}`
