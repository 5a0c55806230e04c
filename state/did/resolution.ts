// The DID document and its metadata as W3C DID Core 1.0 and DID Resolution have them, made from what the state holds.
import type { Did, TimeMs } from '../../primitives/brand.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import type { ReadView } from '../view.ts'
import { toMultibase } from './base58.ts'
import { toDatetime } from './datetime.ts'
import { type DidRecord, type DidVersionRecord, didVersionTable } from './documents.ts'
import { relationshipNames } from './types.ts'

const contexts = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1']

/** The version with this number, 1 to the current one. */
export function versionNumbered(view: ReadView, did: Did, current: DidRecord, version: number): DidVersionRecord | undefined {
  return version === current.version ? current : view.get(didVersionTable, did, version)
}

/** The last version of the second: DID Core publishes the times of versions in whole seconds, so they resolve in whole seconds. */
export function versionAt(view: ReadView, did: Did, current: DidRecord, timeMs: TimeMs): DidVersionRecord | undefined {
  const second = Math.floor(timeMs / 1_000)
  let found: DidVersionRecord | undefined
  for (let low = 1, high = current.version; low <= high; ) {
    const middle = Math.floor((low + high) / 2)
    const version = versionNumbered(view, did, current, middle)
    if (version !== undefined && Math.floor(version.atMs / 1_000) <= second) {
      found = version
      low = middle + 1
    } else high = middle - 1
  }
  return found
}

export function documentOf(did: Did, { keys, services }: DidVersionRecord): JsonObject {
  const methods = keys.map(({ key, relationships }) => {
    const publicKeyMultibase = toMultibase(key)
    return { relationships, method: { id: `${did}#${publicKeyMultibase}`, type: 'Multikey', controller: did, publicKeyMultibase } }
  })
  const document: Record<string, Json> = { '@context': contexts, id: did }
  // an empty set is left out, as DID Core section 4 allows for each property
  if (methods.length > 0) document['verificationMethod'] = methods.map(({ method }) => method)
  for (const name of relationshipNames) {
    const ids = methods.filter(({ relationships }) => relationships.includes(name)).map(({ method }) => method.id)
    if (ids.length > 0) document[name] = ids
  }
  if (services.length > 0) document['service'] = services.map(({ id, type, endpoint }) => ({ id: `${did}#${id}`, type, serviceEndpoint: endpoint }))
  return document
}

export function metadataOf(view: ReadView, did: Did, current: DidRecord, shown: DidVersionRecord): JsonObject {
  const metadata: Record<string, Json> = { created: toDatetime(current.createdMs), versionId: String(shown.version), deactivated: current.deactivated }
  if (shown.version > 1) metadata['updated'] = toDatetime(shown.atMs)
  const next = shown.version < current.version ? versionNumbered(view, did, current, shown.version + 1) : undefined
  if (next !== undefined) {
    metadata['nextUpdate'] = toDatetime(next.atMs)
    metadata['nextVersionId'] = String(next.version)
  }
  return metadata
}
