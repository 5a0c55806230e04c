// points.reclaim: what is left in expired grants goes where the programme says. The chain does so by itself (begin-block.ts), a bounded number a block; this
// is for whoever does not want to wait. By anybody, since nothing in it is a choice; DIDs with nothing left are passed over.
import { kind, refuse } from '../family.ts'
import { findProgram, isRefusal } from './access.ts'
import { isExpired, leftOf, readAccount } from './grants.ts'
import { accountTable } from './keys.ts'
import { lapse } from './lapse.ts'
import { promoteAtOnceMax, reclaimEventsMax } from './limits.ts'
import { moveUp } from './line.ts'
import { reclaimPayload } from './types.ts'

export const reclaim = kind({
  kind: 'points.reclaim',
  summary: 'takes back what is left of expired grants of the DIDs named',
  payload: reclaimPayload,
  apply: (context, { program: id, dids }) => {
    const { view, block } = context
    const program = findProgram(view, id)
    if (isRefusal(program)) return program
    let taken = 0
    for (const did of dids) {
      const before = readAccount(view, id, did)
      let after = before
      for (const [index, grant] of before.grants.entries()) {
        if (taken === reclaimEventsMax || leftOf(grant) === 0 || !isExpired(program, grant, block.timeMs)) continue
        after = lapse(context, program, did, after, index)
        taken++
      }
      if (after !== before) view.put(accountTable, [id, did], after)
    }
    if (taken === 0) return refuse('points/nothing-to-reclaim')
    moveUp(context, program, promoteAtOnceMax)
    return undefined
  },
})
