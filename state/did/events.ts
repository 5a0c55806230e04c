// What DIDs tell those who follow the chain.
import { did } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { didVersion } from './types.ts'

export const registered = event('did.registered', 'A DID came into being.', { did, registrar: did })
export const updated = event('did.updated', 'Keys or services of a DID were replaced.', { did, version: didVersion })
export const recovered = event('did.recovered', 'A DID was given new keys by its recovery key.', { did, version: didVersion })
export const deactivated = event('did.deactivated', 'A DID was ended for good.', { did, version: didVersion })

export const didEvents = [registered, updated, recovered, deactivated]
