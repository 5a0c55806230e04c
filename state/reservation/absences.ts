// Who reserves and does not come keeps others out: after so many absences in a time a DID reserves nothing new for a while. An absence that the operator
// sets right counts no more. What is held already stays.
import type { Did, TimeMs } from '../../primitives/brand.ts'
import type { ReadView, WriteView } from '../view.ts'
import { absencesTable, settingsTable } from './keys.ts'
import { type Absences, absencesMax, type Settings, settingsDefault } from './types.ts'

export function readSettings(view: ReadView): Settings {
  return view.get(settingsTable, 'current') ?? settingsDefault
}

export function absencesOf(view: ReadView, holder: Did): Absences {
  return view.get(absencesTable, holder) ?? []
}

/** The time until which the DID reserves nothing new, if it is kept from it now. */
export function blockedUntil(view: ReadView, holder: Did, nowMs: TimeMs): TimeMs | undefined {
  const missed = view.get(absencesTable, holder)
  const last = missed?.at(-1)
  if (missed === undefined || last === undefined) return undefined
  const { absencesMax: allowed, absenceWindowMs, blockMs } = readSettings(view)
  const untilMs = (last.atMs + blockMs) as TimeMs
  const counted = missed.filter(({ atMs }) => atMs > last.atMs - absenceWindowMs).length
  return allowed > 0 && counted >= allowed && nowMs < untilMs ? untilMs : undefined
}

export function addAbsence(view: WriteView, holder: Did, slot: string, atMs: TimeMs): void {
  view.put(absencesTable, [holder], [...absencesOf(view, holder), { slot, atMs }].slice(-absencesMax))
}

/** It may have been forgotten already, for many later ones. */
export function removeAbsence(view: WriteView, holder: Did, slot: string): void {
  const left = absencesOf(view, holder).filter((each) => each.slot !== slot)
  if (left.length === 0) view.remove(absencesTable, [holder])
  else view.put(absencesTable, [holder], left)
}
