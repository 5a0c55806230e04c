// Changes that take effect at a height to come: a planned rotation, a key that ends with an office's term. One a DID; whatever changes the DID before drops it,
// since it was made for the version before. Done before the transactions of its height, a bounded number a block.
import type { Did, Height } from '../../primitives/brand.ts'
import { did, hash, height, type Infer, list, optional, record } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'
import { didKeys, didServices, scheduledAtHeightMax } from './types.ts'

export const scheduledChange = record({ fromHeight: height, keys: didKeys, services: didServices, recovery: optional(hash) })
export type ScheduledChange = Infer<typeof scheduledChange>

/** did.scheduled/<did> */
export const scheduledTable = table('did.scheduled', scheduledChange)
/** did.due/<height>: whose changes take effect there, in the order in which they were sent. */
export const dueTable = table('did.due', list(did, 1, scheduledAtHeightMax))

export function dueAt(view: ReadView, at: Height): readonly Did[] {
  return view.get(dueTable, at) ?? []
}

/** The caller has seen that the height has room. */
export function schedule(view: WriteView, own: Did, change: ScheduledChange): void {
  unschedule(view, own)
  view.put(scheduledTable, [own], change)
  view.put(dueTable, [change.fromHeight], [...dueAt(view, change.fromHeight), own])
}

export function unschedule(view: WriteView, own: Did): void {
  const change = view.get(scheduledTable, own)
  if (change === undefined) return
  view.remove(scheduledTable, [own])
  const left = dueAt(view, change.fromHeight).filter((other) => other !== own)
  if (left.length === 0) view.remove(dueTable, [change.fromHeight])
  else view.put(dueTable, [change.fromHeight], left)
}
