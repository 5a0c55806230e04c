// What DIDs tell those who follow the chain.
import { did, height, oneOf, optional, timeMs } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { didVersion } from './types.ts'

export const registered = event('did.registered', 'A DID came into being.', { did, registrar: did })
export const updated = event('did.updated', 'Keys or services of a DID were replaced.', { did, version: didVersion })
export const scheduled = event('did.scheduled', 'A change of a DID will take effect at a height to come, unless the DID is changed before.', { did, fromHeight: height })
export const recovered = event('did.recovered', 'A DID was given new keys, by its recovery key or through a registrar.', { did, version: didVersion, by: oneOf('recovery-key', 'registrar') })
export const recoveryRequested = event('did.recoveryRequested', 'A registrar asked for new keys of a DID; its holder may stop it until they are taken, unless a second registrar signed.', { did, registrar: did, second: optional(did), readyMs: timeMs })
export const recoveryStopped = event('did.recoveryStopped', 'A recovery through a registrar was stopped.', { did, by: did })
export const deactivated = event('did.deactivated', 'A DID was ended for good.', { did, version: didVersion })

export const didEvents = [registered, updated, scheduled, recovered, recoveryRequested, recoveryStopped, deactivated]
