// The DIDs of the first day (officers, registrars, issuers, merchants, governors), which nobody could have countersigned yet.
import { did, type Infer, list, optional, record, refine, hash } from '../../primitives/schema.ts'
import type { BlockContext } from '../family.ts'
import { createDid } from './documents.ts'
import { didKeys, didOf, didServices } from './types.ts'

const genesisDidsMax = 10_000

/** The DID stands beside its keys for the reader; it must follow from them. */
const genesisDid = refine(record({ did, keys: didKeys, services: didServices, recovery: optional(hash) }), (entry) => (entry.did === didOf(entry.keys) ? undefined : `the DID of its keys, ${didOf(entry.keys)}`))

export const didGenesis = record({
  dids: refine(list(genesisDid, 0, genesisDidsMax), (entries) => (new Set(entries.map((entry) => entry.did)).size === entries.length ? undefined : 'distinct DIDs')),
})
export type DidGenesis = Infer<typeof didGenesis>

function apply({ block, view }: BlockContext, { dids }: DidGenesis): void {
  for (const { did: own, keys, services, recovery } of dids) createDid(view, block, own, { keys, services, recovery })
}

export const genesis = { schema: didGenesis, apply }
