// Which keys speak for a DID now. Every signature on the chain is judged here.
import type { Did } from '../../primitives/brand.ts'
import { equalBytes } from '../../primitives/bytes.ts'
import type { ReadView } from '../view.ts'
import { readDid } from './documents.ts'
import type { Relationship } from './types.ts'

/** True if the DID is active and the Multikey is one of its authentication keys. */
export function isAuthorised(view: ReadView, did: Did, key: Uint8Array): boolean {
  return hasKey(view, did, key, 'authentication')
}

/** True if the DID is active and the Multikey is one with which it makes statements (credentials, attestations). */
export function isAssertionKey(view: ReadView, did: Did, key: Uint8Array): boolean {
  return hasKey(view, did, key, 'assertionMethod')
}

export function isActive(view: ReadView, did: Did): boolean {
  return readDid(view, did)?.deactivated === false
}

function hasKey(view: ReadView, did: Did, key: Uint8Array, relationship: Relationship): boolean {
  const current = readDid(view, did)
  if (current === undefined || current.deactivated) return false
  return current.keys.some((own) => own.relationships.includes(relationship) && equalBytes(own.key, key))
}
