// Parameters of the chain's rules: set by genesis, changed by governance within bounds. One record, so that every rule sees one consistent set.
import { assert } from '../primitives/errors.ts'
import { type Infer, integer, optional, record, refine } from '../primitives/schema.ts'
import { table } from './table.ts'
import type { ReadView, WriteView } from './view.ts'

const minuteMs = 60_000

const fields = {
  /** How far ahead of block time `validUntilMs` may lie; also how long ids are remembered. */
  transactionValidityMsMax: integer(minuteMs, 24 * 60 * minuteMs),
  /** How long a recovery of a DID through a registrar waits in block time, so that the holder can stop it; for as long again it may be completed. */
  recoveryWaitMs: integer(minuteMs, 90 * 24 * 60 * minuteMs),
} as const

export const parameters = record(fields)
export type Parameters = Infer<typeof parameters>

/** Some of them, within the same bounds. */
export const parameterChange = refine(record({ transactionValidityMsMax: optional(fields.transactionValidityMsMax), recoveryWaitMs: optional(fields.recoveryWaitMs) }), (change) => (Object.values(change).some((value) => value !== undefined) ? undefined : 'at least one parameter'))
export type ParameterChange = Infer<typeof parameterChange>

/** `current` with what the change names. */
export function changedParameters(current: Parameters, change: ParameterChange): Parameters {
  return { transactionValidityMsMax: change.transactionValidityMsMax ?? current.transactionValidityMsMax, recoveryWaitMs: change.recoveryWaitMs ?? current.recoveryWaitMs }
}

/** parameters/current */
export const parametersTable = table('parameters', parameters)

export function readParameters(view: ReadView): Parameters {
  const current = view.get(parametersTable, 'current')
  assert(current !== undefined, 'parameters set by genesis')
  return current
}

export function writeParameters(view: WriteView, next: Parameters): void {
  view.put(parametersTable, ['current'], next)
}
