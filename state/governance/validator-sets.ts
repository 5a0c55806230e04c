// Validator sets as the state keeps them: every set there was, each with the height from which it governs. Consensus reads the same rows (node/epochs.ts), so that
// whoever holds the state root can be shown who votes. A set is never changed once it is scheduled, but for the addresses, at which it is dialled and which no vote rests on.
import type { Height } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { validatorsMax } from '../../primitives/limits.ts'
import { bytes, height, type Infer, integer, list, record, slug, token } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'

/** `host:port`; IPv6 in brackets. */
export const address = token(/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}/, 261, 'host:port')
/** Of one node. With them a set of the largest size is well within a value of the state. */
export const addressesMax = 4

export const validatorEntry = record({ name: slug, organisation: slug, publicKey: bytes(32, 32), addresses: list(address, 0, addressesMax) })
export type ValidatorEntry = Infer<typeof validatorEntry>

export const minimumEntry = record({ organisation: slug, minimum: integer(1, validatorsMax) })
export type MinimumEntry = Infer<typeof minimumEntry>

export const validatorSetRow = record({
  /** The first height that it governs. */
  activation: height,
  /** The block that agreed on it; 0 for the genesis. */
  scheduledAtHeight: height,
  /** In the order in which they are primary. */
  validators: list(validatorEntry, 1, validatorsMax),
  /** How many of an organisation every certificate needs. */
  minimums: list(minimumEntry, 0, validatorsMax),
})
export type ValidatorSetRow = Infer<typeof validatorSetRow>

/** governance.validatorSet/<number>, from 0, ascending by activation. */
export const validatorSetTable = table('governance.validatorSet', validatorSetRow)
/** governance.validatorSetLast/all: the number of the set scheduled last. */
export const validatorSetLastTable = table('governance.validatorSetLast', integer())
/** governance.window/all: consensus' window of the genesis. A set governs from a height at least this and one above the block that agreed on it. */
export const windowTable = table('governance.window', integer(1))

export interface NumberedSet {
  readonly number: number
  readonly row: ValidatorSetRow
}

function setOf(view: ReadView, number: number): NumberedSet {
  const row = view.get(validatorSetTable, number)
  assert(row !== undefined, `validator set ${number} is in the state`)
  return { number, row }
}

/** The set scheduled last, in force or not. */
export function latestSet(view: ReadView): NumberedSet {
  const last = view.get(validatorSetLastTable, 'all')
  assert(last !== undefined, 'a validator set of the genesis')
  return setOf(view, last)
}

/** The set that governs `at`, a height not below the last activation but one. */
export function setInForce(view: ReadView, at: Height): NumberedSet {
  const latest = latestSet(view)
  return latest.row.activation <= at ? latest : setOf(view, latest.number - 1)
}

/** The set that is agreed on and not in force yet at `at`; there is at most one. */
export function scheduledSet(view: ReadView, at: Height): NumberedSet | undefined {
  const latest = latestSet(view)
  return latest.row.activation > at ? latest : undefined
}

export function readWindow(view: ReadView): number {
  const window = view.get(windowTable, 'all')
  assert(window !== undefined, 'the window of the genesis')
  return window
}

export function putSet(view: WriteView, number: number, row: ValidatorSetRow): void {
  view.put(validatorSetTable, [number], row)
  view.put(validatorSetLastTable, ['all'], number)
}
