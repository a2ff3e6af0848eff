/** SASL mechanisms that need nothing but a user name and a password. */
export const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
export type Mechanism = (typeof MECHANISMS)[number]
