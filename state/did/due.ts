// What a block does for DIDs before its transactions: the changes that were scheduled for its height.
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import { readDid, replaceDid } from './documents.ts'
import { updated } from './events.ts'
import { dueAt, scheduledTable } from './schedule.ts'

/** At most scheduledAtHeightMax of them. */
export function carryOutDue({ block, view, emit }: BlockContext): void {
  for (const own of dueAt(view, block.height)) {
    const change = view.get(scheduledTable, own)
    assert(change?.fromHeight === block.height && readDid(view, own)?.deactivated === false, 'a scheduled change of an active DID')
    const { version } = replaceDid(view, block, own, { keys: change.keys, services: change.services, recovery: change.recovery })
    emit(updated({ did: own, version }))
  }
}
