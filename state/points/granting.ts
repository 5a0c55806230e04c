// How a grant is made, whichever way: by itself, by an officer, or out of the line when something is freed.
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import { checkUseNotEnded, isRefusal } from './access.ts'
import { dayEndsMs, dayOf } from '../calendar.ts'
import { minuteFrom, putDue } from './due.ts'
import { granted } from './events.ts'
import { expiresMsOf } from './grants.ts'
import { type Account, accountTable, type Grant } from './keys.ts'
import { accountGrantsMax } from './limits.ts'
import { move, readSums } from './sums.ts'
import type { Program, Tier } from './types.ts'

export interface Holder {
  readonly did: Did
  /** With the changes that the caller has made already. */
  readonly account: Account
}

export const exhausted = 'points/budget-exhausted'

/** The tier, if the programme can grant it to this holder now. */
export function findGrantable({ view, block }: BlockContext, program: Program, { did, account }: Holder, name: string): Tier | Refusal {
  const ended = checkUseNotEnded(block, program)
  if (ended !== undefined) return ended
  const tier = program.tiers.find((each) => each.tier === name)
  if (tier === undefined) return refuse('points/unknown-tier', { tier: name })
  if (account.grants.length >= accountGrantsMax) return refuse('points/too-many-grants', { did, grants: accountGrantsMax })
  const { grants, revoked, unallocated } = readSums(view, program.id)
  if (program.grantsMax !== undefined && grants - revoked >= program.grantsMax) return refuse(exhausted, { grants: grants - revoked, grantsMax: program.grantsMax })
  if (unallocated < tier.amount) return refuse(exhausted, { unallocated, amount: tier.amount })
  return tier
}

export interface Making {
  readonly tier: string
  readonly expiresMs?: TimeMs | undefined
  readonly officer?: Did
}

/** Makes a grant, writes the account, and notes when it ends. */
export function makeGrant(context: BlockContext, program: Program, holder: Holder, { tier: name, expiresMs, officer }: Making): Refusal | undefined {
  const { view, block, emit } = context
  const { did, account } = holder
  const tier = findGrantable(context, program, holder, name)
  if (isRefusal(tier)) return tier
  const none = 0 as Won
  const grant: Grant = { tier: name, amount: tier.amount, spent: none, reclaimed: none, onHold: none, ownPaid: none, expiresMs: expiresMs ?? ownEnd(program, tier, block.timeMs) }
  const number = account.grants.length + 1
  const endsMs = expiresMsOf(program, grant)
  move(context, program, 'granted', tier.amount, { grants: 1 })
  view.put(accountTable, [program.id, did], { ...account, grants: [...account.grants, grant] })
  putDue(view, minuteFrom(endsMs), { type: 'grant', program: program.id, did, grant: number })
  emit(granted({ program: program.id, did, grant: number, tier: name, amount: tier.amount, expiresMs: endsMs, officer }))
  return undefined
}

/** Where the tier ends grants by itself before the programme's use does. */
function ownEnd(program: Program, { useDays }: Tier, nowMs: TimeMs): TimeMs | undefined {
  if (useDays === undefined) return undefined
  const endsMs = dayEndsMs(dayOf(nowMs) + useDays)
  return endsMs < program.useClosesMs ? endsMs : undefined
}
