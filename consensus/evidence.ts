// Contradictions: two signed messages of one validator that no correct validator signs both. They are shown to the driver, which keeps
// them for the operator and for governance. Bounded for each validator, so that a liar cannot fill memory or disk with its own lies.
import type { Height, View } from '../primitives/brand.ts'
import { evidencePerValidatorMax } from './limits.ts'
import type { Message } from './messages.ts'
import type { Blame } from './output.ts'
import { keyOf, type ReplicaState } from './state.ts'
import type { ValidatorSet } from './validators.ts'

export interface Place {
  readonly height?: Height
  readonly view?: View
}

export function blame(state: ReplicaState, set: ValidatorSet, index: number, kind: Blame['kind'], place: Place, messages: readonly Message[]): void {
  const validator = set.validators[index]
  if (validator === undefined) return
  const key = keyOf(validator)
  const count = state.evidence.get(key) ?? 0
  if (count >= evidencePerValidatorMax) return
  state.evidence.set(key, count + 1)
  state.effects.blame.push({ validator, kind, ...place, messages })
}
