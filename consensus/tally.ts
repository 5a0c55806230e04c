// Counting Commits (paper, section 4.2: committed-local).
import type { Hash, Height, View } from '../primitives/brand.ts'
import { toHex } from '../primitives/bytes.ts'
import type { SlotCertificate } from './certificate.ts'
import { isQuorum, quorumSize } from './quorum.ts'
import type { ReplicaState, Slot } from './state.ts'
import { setAt, type ValidatorSet } from './validators.ts'

/** A quorum of Commits for one block in one view, of whatever view. */
export function commitCertificate(slot: Slot, set: ValidatorSet): SlotCertificate | undefined {
  if (slot.commits.size < quorumSize(set.validators.length)) return undefined
  const groups = new Map<string, { readonly view: View; readonly blockHash: Hash; readonly signatures: { validator: number; signature: Uint8Array }[] }>()
  for (const { view, blockHash: hash, validator, signature } of slot.commits.values()) {
    const key = `${view} ${toHex(hash)}`
    const group = groups.get(key) ?? { view, blockHash: hash, signatures: [] }
    group.signatures.push({ validator, signature })
    groups.set(key, group)
  }
  for (const { view, blockHash: hash, signatures } of groups.values()) {
    if (!isQuorum(set, new Set(signatures.map((entry) => entry.validator)))) continue
    return { view, height: slot.height, blockHash: hash, signatures: signatures.sort((a, b) => a.validator - b.validator) }
  }
  return undefined
}

/** The highest slot that others have committed, as their votes here prove; 0 when there is none. */
export function provenHeight(state: ReplicaState): Height {
  let highest = 0
  for (const slot of state.slots.values()) {
    const set = setAt(state.schedule, slot.height)
    if (slot.height > highest && set !== undefined && commitCertificate(slot, set) !== undefined) highest = slot.height
  }
  return highest as Height
}
