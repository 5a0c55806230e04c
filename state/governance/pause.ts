// Pausing a family in an emergency: its transactions are refused until governance resumes it. Governance itself cannot be paused, or nothing could be resumed.
// What falls due by itself at the beginning of a block (expiries, places in line) goes on: it was promised, and catching up later would be unbounded work.
import { height, record } from '../../primitives/schema.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import { table } from '../table.ts'
import type { ReadView } from '../view.ts'
import { familyPaused, familyResumed } from './events.ts'
import type { PausableFamily } from './types.ts'

/** governance.paused/<family> */
export const pausedTable = table('governance.paused', record({ sinceHeight: height }))

/** `kind` is `family.verb`. */
export function isPaused(view: ReadView, kind: string): boolean {
  return view.get(pausedTable, kind.slice(0, kind.indexOf('.'))) !== undefined
}

export function pauseFamily({ block, view, emit }: BlockContext, { family }: { readonly family: PausableFamily }): Refusal | undefined {
  if (view.get(pausedTable, family) !== undefined) return refuse('governance/family-paused', { family })
  view.put(pausedTable, [family], { sinceHeight: block.height })
  emit(familyPaused({ family }))
  return undefined
}

export function resumeFamily({ view, emit }: BlockContext, { family }: { readonly family: PausableFamily }): Refusal | undefined {
  if (view.get(pausedTable, family) === undefined) return refuse('governance/family-not-paused', { family })
  view.remove(pausedTable, [family])
  emit(familyResumed({ family }))
  return undefined
}
