// What the chain does by itself before a block's transactions: grants that have expired are reclaimed, holds that have expired released, lines in which
// something was freed move up. At most `dueWorkMax` steps a block; what is left waits for the next. Nothing hangs on how soon it happens: what has expired
// pays nothing more by its time alone.
import { toBase64url } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import { findProgram, isRefusal } from './access.ts'
import { minuteFrom, putDue, takeDue } from './due.ts'
import { expiresMsOf, isExpired, leftOf, readAccount } from './grants.ts'
import { release } from './holds.ts'
import { accountTable, type DueItem, holdTable, lineTable } from './keys.ts'
import { lapse } from './lapse.ts'
import { dueWorkMax } from './limits.ts'
import { moveUp, readLine } from './line.ts'
import type { Program } from './types.ts'

export function beginBlock(context: BlockContext): void {
  let steps = 0
  while (steps < dueWorkMax) {
    const item = takeDue(context.view, context.block.timeMs)
    if (item === undefined) return
    steps += 1 + work(context, item, dueWorkMax - steps - 1)
  }
}

/** Returns how many steps it took beyond one. */
function work(context: BlockContext, item: DueItem, stepsMax: number): number {
  const { view } = context
  switch (item.type) {
    case 'grant':
      endGrant(context, item)
      return 0
    case 'hold': {
      // gone when it was captured or voided
      const hold = view.get(holdTable, item.merchant, toBase64url(item.purchase))
      if (hold !== undefined) release(context, item.merchant, item.purchase, hold, 'expiry')
      return 0
    }
    case 'line': {
      const program = programOf(context, item.program)
      view.put(lineTable, [program.id], { ...readLine(view, program.id), queued: false })
      return moveUp(context, program, stepsMax)
    }
  }
}

function endGrant(context: BlockContext, { program: id, did, grant: number }: Omit<Extract<DueItem, { readonly type: 'grant' }>, 'type'>): void {
  const { view, block } = context
  const program = programOf(context, id)
  const account = readAccount(view, id, did)
  const grant = account.grants[number - 1]
  assert(grant !== undefined, `grant ${number} of ${did}`)
  // the use of the programme, or the grant, goes on longer than it did when this was noted
  if (!isExpired(program, grant, block.timeMs)) putDue(view, minuteFrom(expiresMsOf(program, grant)), { type: 'grant', program: id, did, grant: number })
  else if (leftOf(grant) > 0) view.put(accountTable, [id, did], lapse(context, program, did, account, number - 1))
}

function programOf({ view }: BlockContext, id: string): Program {
  const program = findProgram(view, id)
  assert(!isRefusal(program), `programme ${id} of something due`)
  return program
}
