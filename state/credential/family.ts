// Credentials and attestations: who may state what about whom, without a person on the chain.
import { family } from '../family.ts'
import { anchor } from './anchor.ts'
import { credentialCodes } from './codes.ts'
import { credentialEvents } from './events.ts'
import { credentialQueries } from './queries.ts'
import { registerIssuer } from './register-issuer.ts'
import { registerSchema } from './register-schema.ts'
import { setStatus } from './set-status.ts'

export const credentialFamily = family({ name: 'credential', kinds: [registerIssuer, registerSchema, anchor, setStatus], events: credentialEvents, queries: credentialQueries, codes: credentialCodes })
