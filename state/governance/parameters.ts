// The parameters and what they were before, so that an old height can be explained.
import type { Height } from '../../primitives/brand.ts'
import { height, list, record } from '../../primitives/schema.ts'
import type { BlockContext } from '../family.ts'
import { changedParameters, type ParameterChange, type Parameters, parameters, readParameters, writeParameters } from '../parameters.ts'
import { table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'
import { parametersChanged } from './events.ts'

/** Changes remembered; the oldest are let go. */
const historyMax = 500

/** governance.parametersHistory/all, oldest first. `fromHeight`: they hold at the end of this height and after. */
export const historyTable = table('governance.parametersHistory', list(record({ fromHeight: height, parameters }), 1, historyMax))

export function setParameters(view: WriteView, fromHeight: Height, next: Parameters): void {
  const before = (view.get(historyTable, 'all') ?? []).filter((entry) => entry.fromHeight !== fromHeight)
  view.put(historyTable, ['all'], [...before, { fromHeight, parameters: next }].slice(-historyMax))
  writeParameters(view, next)
}

/** Those that the change names; the event shows all, as they are now. */
export function changeParameters({ block, view, emit }: BlockContext, { parameters: change }: { readonly parameters: ParameterChange }): undefined {
  const next = changedParameters(readParameters(view), change)
  setParameters(view, block.height, next)
  emit(parametersChanged({ parameters: next }))
}

/** The parameters at the end of a height; undefined when they are no longer remembered. */
export function parametersAt(view: ReadView, at: Height): Parameters | undefined {
  return view.get(historyTable, 'all')?.findLast(({ fromHeight }) => fromHeight <= at)?.parameters
}

/** The longest time that a transaction may have been valid for, under any parameters remembered. */
export function longestValidityMs(view: ReadView): number {
  return Math.max(0, ...(view.get(historyTable, 'all') ?? []).map((entry) => entry.parameters.transactionValidityMsMax))
}
