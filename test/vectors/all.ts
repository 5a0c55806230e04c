// Every file of vectors, by its name, as the code makes it now.
import type { Json } from '../../primitives/schema.ts'
import { ed25519Vectors } from './ed25519.ts'
import { governanceVectors } from './governance.ts'
import { identityVectors } from './identity.ts'
import { blockVectors, hashVectors, stateVectors, transactionVectors } from './ledger.ts'
import { messageVectors } from './messages.ts'
import { p256Vectors } from './p256.ts'
import { placesVectors } from './places.ts'
import { pointsVectors } from './points.ts'
import { snapshotVectors } from './snapshot.ts'
import { valueVectors } from './values.ts'

export function allVectors(): Readonly<Record<string, Json>> {
  return { values: valueVectors(), hashes: hashVectors(), transactions: transactionVectors(), blocks: blockVectors(), state: stateVectors(), messages: messageVectors(), ed25519: ed25519Vectors(), p256: p256Vectors(), identity: identityVectors(), points: pointsVectors(), places: placesVectors(), governance: governanceVectors(), snapshot: snapshotVectors() }
}

export function textOf(vectors: Json): string {
  return `${JSON.stringify(vectors, undefined, 1)}\n`
}
