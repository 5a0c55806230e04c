// Parameters of the chain's rules: set by genesis, changed by governance within bounds. One record, so that every rule sees one consistent set.
import { assert } from '../primitives/errors.ts'
import { type Infer, integer, record } from '../primitives/schema.ts'
import { table } from './table.ts'
import type { ReadView, WriteView } from './view.ts'

const minuteMs = 60_000

export const parameters = record({
  /** How far ahead of block time `validUntilMs` may lie; also how long ids are remembered. */
  transactionValidityMsMax: integer(minuteMs, 24 * 60 * minuteMs),
})
export type Parameters = Infer<typeof parameters>

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
