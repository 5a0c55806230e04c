// points.reclaim: what is left in expired grants goes where the programme says. By anybody, since nothing in it is a choice; DIDs with nothing
// left are passed over, so that two who send the same list do not stand in each other's way.
import type { Did, Won } from '../../primitives/brand.ts'
import { type Context, kind, refuse } from '../family.ts'
import { findProgram, isRefusal } from './access.ts'
import { reclaimed } from './events.ts'
import { isExpired, leftOf, readAccount } from './grants.ts'
import { accountTable } from './keys.ts'
import { move } from './sums.ts'
import { type Program, reclaimPayload } from './types.ts'

export const reclaim = kind({
  kind: 'points.reclaim',
  summary: 'takes back what is left of expired grants of the DIDs named',
  payload: reclaimPayload,
  apply: (context, { program: id, dids }) => {
    const program = findProgram(context.view, id)
    if (isRefusal(program)) return program
    const total = dids.reduce((sum, did) => sum + reclaimFrom(context, program, did), 0)
    return total === 0 ? refuse('points/nothing-to-reclaim') : undefined
  },
})

function reclaimFrom({ view, block, emit }: Context, program: Program, did: Did): number {
  const account = readAccount(view, program.id, did)
  let total = 0
  const grants = account.grants.map((grant) => {
    const left = leftOf(grant)
    if (left === 0 || !isExpired(program, grant, block.timeMs)) return grant
    total += left
    return { ...grant, reclaimed: (grant.reclaimed + left) as Won }
  })
  if (total === 0) return 0
  view.put(accountTable, [program.id, did], { ...account, grants })
  move(view, program, 'held', program.leftover, total)
  emit(reclaimed({ program: program.id, did, amount: total as Won }))
  return total
}
