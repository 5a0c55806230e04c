// Validator sets and the heights they govern. A set is in force from its activation height on; together they are an *epoch*, named by that height.
// Views are counted within an epoch: every epoch starts in view 0 on its first height, and no slot of an epoch is proposed before the last
// block of the epoch before is committed. So a view change never mixes two sets (docs/consensus.md, epochs).
import type { Hash, Height, View } from '../primitives/brand.ts'
import { compareBytes, equalBytes } from '../primitives/bytes.ts'
import { encode } from '../primitives/codec.ts'
import { assert } from '../primitives/errors.ts'
import { taggedHash } from '../primitives/hash.ts'
import { validatorsMax } from '../primitives/limits.ts'
import { bytes, integer, list, record, refine, slug, type Infer } from '../primitives/schema.ts'
import { blockHeight } from './block.ts'

export const validator = record({ name: slug, organisation: slug, publicKey: bytes(32, 32) })
export type Validator = Infer<typeof validator>

export const minimum = record({ organisation: slug, minimum: integer(1, validatorsMax) })

/** `minimums`: how many members of an organisation every certificate must have, whatever the quorum. */
export const validatorSet = refine(
  record({ validators: list(validator, 1, validatorsMax), minimums: list(minimum, 0, validatorsMax) }),
  ({ validators, minimums }) => {
    if (new Set(validators.map((one) => one.name)).size !== validators.length) return 'validators of different names'
    const keys = validators.map((one) => one.publicKey).sort(compareBytes)
    if (keys.some((key, i) => i > 0 && equalBytes(key, keys[i - 1] as Uint8Array))) return 'validators with different keys'
    if (new Set(minimums.map((one) => one.organisation)).size !== minimums.length) return 'one minimum for an organisation'
    const members = (organisation: string): number => validators.filter((one) => one.organisation === organisation).length
    if (minimums.some((one) => one.minimum > members(one.organisation))) return 'minimums that the organisations can meet'
    return undefined
  },
)
export type ValidatorSet = Infer<typeof validatorSet>

export const epoch = record({ activation: blockHeight, set: validatorSet })
/** A validator set and the first height that it governs. */
export type Epoch = Infer<typeof epoch>

export function validatorSetHash(set: ValidatorSet): Hash {
  return taggedHash('validator-set', encode(validatorSet, set))
}

/** What a checkpoint certifies as "next": the set scheduled last, with its activation height. A light client follows the sets from genesis by it. */
export function epochHash(one: Epoch): Hash {
  return taggedHash('epoch', encode(epoch, one))
}

export function primaryIndex(set: ValidatorSet, view: View): number {
  return view % set.validators.length
}

export function indexOfKey(set: ValidatorSet, publicKey: Uint8Array): number | undefined {
  const index = set.validators.findIndex((one) => equalBytes(one.publicKey, publicKey))
  return index < 0 ? undefined : index
}

/**
 * Epochs by height. A set may be changed by executing a block, for a height at least `window` + 1 above it; so sets are known
 * up to the last executed height + `window` + 1, and unknown (not: unchanged) above.
 */
export interface Schedule {
  readonly epochs: readonly Epoch[]
  readonly knownTo: Height
}

/** `epochs` ascending, the first being that of the lowest height anyone will ask for. */
export function scheduleOf(epochs: readonly Epoch[], executed: Height, window: number): Schedule {
  assert(epochs.length > 0, 'a schedule has an epoch')
  for (let i = 1; i < epochs.length; i++) assert((epochs[i] as Epoch).activation > (epochs[i - 1] as Epoch).activation, 'epochs ascend')
  return { epochs, knownTo: (executed + window + 1) as Height }
}

export function epochAt(schedule: Schedule, height: Height): Epoch | undefined {
  if (height > schedule.knownTo) return undefined
  for (let i = schedule.epochs.length - 1; i >= 0; i--) {
    const one = schedule.epochs[i] as Epoch
    if (one.activation <= height) return one
  }
  return undefined
}

export function setAt(schedule: Schedule, height: Height): ValidatorSet | undefined {
  return epochAt(schedule, height)?.set
}

export function latestEpoch(schedule: Schedule): Epoch {
  return schedule.epochs[schedule.epochs.length - 1] as Epoch
}

/** The schedule after executing `height`, which may have scheduled `next`. */
export function extendSchedule(schedule: Schedule, height: Height, window: number, next: Epoch | undefined): Schedule {
  const knownTo = Math.max(schedule.knownTo, height + window + 1) as Height
  if (next === undefined || schedule.epochs.some((one) => one.activation === next.activation)) return { epochs: schedule.epochs, knownTo }
  assert(next.activation > height + window, 'a set change leaves every open slot its set')
  assert(next.activation > latestEpoch(schedule).activation, 'set changes come in order')
  return { epochs: [...schedule.epochs, next], knownTo }
}
