// state_…: proofs of what stands in the state.
import { stateKeyBytesMax, stateValueBytesMax } from '../../primitives/limits.ts'
import { bytes, hash, height, type Infer, integer, list, optional, record, type Schema, token } from '../../primitives/schema.ts'
import { checkpointCertificate } from '../../consensus/certificate.ts'
import { stateProofSchema } from '../../state/proof.ts'
import type { StateProof } from '../../state/tree.ts'
import { proofKeysMax } from '../limits.ts'
import { declare } from './declare.ts'

const stateKey = token(/[\x21-\x7e]+/, stateKeyBytesMax, 'a state key such as chain.block/0000000000000001')

// the tree's own type for a proof: hashes without their brand
const proof = stateProofSchema as unknown as Schema<StateProof>

/** A key with its value, or without when the state holds nothing there, and the proof of either. */
export const provenEntry = record({ key: stateKey, value: optional(bytes(0, stateValueBytesMax)), proof })
export type ProvenEntry = Infer<typeof provenEntry>

export const stateProof = declare({
  method: 'state_proof',
  summary: 'Values of state keys, or their absence, with proofs against the state root that the checkpoint certificate bears.',
  params: record({ keys: list(stateKey, 1, proofKeysMax) }),
  result: record({ height, stateRoot: hash, checkpoint: checkpointCertificate, entries: list(provenEntry, 0, proofKeysMax) }),
  example: { keys: ['parameters/current'] },
  errors: ['node/not-certified'],
  cost: 50,
})

/** `hash` names it: equal on all nodes that made it. `bytes`: of its parts. */
const snapshotInfo = record({ height, stateRoot: hash, hash, parts: integer(), bytes: integer() })
export type SnapshotInfo = Infer<typeof snapshotInfo>

export const stateSnapshotInfo = declare({
  method: 'state_snapshotInfo',
  summary: 'What a node that joins can get here: snapshots of the state, oldest first, and the blocks that are kept.',
  params: record({}),
  result: record({ snapshots: list(snapshotInfo, 0, 100), oldestHeight: height, headHeight: height, checkpointHeight: optional(height) }),
  example: {},
})
