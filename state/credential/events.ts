// What the family tells those who follow the chain.
import { boolean, did, hash, integer, list, slug } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { anchorsMax, issuerScope, schemaVersion, statusIndexesMax, statusIndexMax, statusPurpose } from './types.ts'

export const issuerRegistered = event('credential.issuerRegistered', 'An issuer published what it is, or changed it.', { issuer: did, scope: issuerScope })
export const schemaRegistered = event('credential.schemaRegistered', 'An issuer published a version of a schema.', { issuer: did, schema: slug, version: schemaVersion, hash })
export const anchored = event('credential.anchored', 'Salted hashes of credentials were anchored.', { issuer: did, hashes: list(hash, 1, anchorsMax) })
export const statusSet = event('credential.statusSet', 'Credentials were revoked, suspended or restored; the indexes are those that changed, none when the list was made.', {
  issuer: did,
  list: slug,
  purpose: statusPurpose,
  indexes: list(integer(0, statusIndexMax), 0, statusIndexesMax),
  status: boolean,
})

export const credentialEvents = [issuerRegistered, schemaRegistered, anchored, statusSet]
