// What a citizen has: balances, grants, applications. A question about all programmes looks at each of them, whose number is bounded.
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { boolean, did, type Infer, integer, list, optional, record, slug, text, timeMs, token, won } from '../../primitives/schema.ts'
import { pageFields, pageItemsMax, pageOf, pageResult, query } from '../query.ts'
import type { QueryView } from '../view.ts'
import { dayOf, monthOf } from '../calendar.ts'
import { balanceOf, expiresMsOf, isExpired, leftOf, onHoldOf, readAccount, spentOf, usedIn } from './grants.ts'
import { type Account, accountFields, accountTable, applicationFields, programTable } from './keys.ts'
import { accountGrantsMax, programsMax } from './limits.ts'
import { readLine } from './line.ts'
import { allPrograms } from './query-programs.ts'
import { type Program, programKind, reason } from './types.ts'

const programBalance = record({
  program: slug,
  title: text(1, 100),
  kind: programKind,
  /** In unexpired grants, without what is on hold. */
  balance: won,
  /** Of it, what can be used at the time of the last block. */
  usable: won,
  /** Authorised for merchants, not yet captured. */
  onHold: won,
  spent: won,
  /** What may still be spent today and this month by the caps of the programme, if it has such. */
  leftToday: optional(won),
  leftThisMonth: optional(won),
  /** Passes: what the citizen still pays before the fund does. */
  ownShareDue: optional(won),
})

const balance = record({ did, balance: won, usable: won, programs: list(programBalance, 0, programsMax) })

export const balanceQuery = query({
  method: 'points_balance',
  summary: 'What a DID holds in one programme or in all, and what of it can be used now. Amounts of passes are the fund’s part.',
  params: record({ did, program: optional(slug) }),
  result: balance,
  run: async (view, params, head) => {
    const programs = await programsFor(view, params.program)
    if (programs === undefined) return undefined
    const items = programs.flatMap((each) => balanceIn(view, each, params.did, head.timeMs) ?? [])
    const total = (amount: (item: Infer<typeof programBalance>) => number): Won => items.reduce((sum, item) => sum + amount(item), 0) as Won
    return { did: params.did, balance: total((item) => item.balance), usable: total((item) => item.usable), programs: items }
  },
})

/** The programme named, or all; undefined when there is none of this name. */
async function programsFor(view: QueryView, id: string | undefined): Promise<readonly Program[] | undefined> {
  if (id === undefined) return allPrograms(view)
  const named = view.get(programTable, id)
  return named === undefined ? undefined : [named]
}

function balanceIn(view: QueryView, program: Program, holder: Did, nowMs: TimeMs): Infer<typeof programBalance> | undefined {
  const account = readAccount(view, program.id, holder)
  if (account.grants.length === 0) return undefined
  const { ownShare } = program
  const ownShareDue = ownShare === undefined ? undefined : (account.grants.reduce((sum, each) => sum + (isExpired(program, each, nowMs) ? 0 : ownShare - each.ownPaid), 0) as Won)
  const { capPerDay, capPerMonth } = program
  return {
    program: program.id,
    title: program.title,
    kind: program.kind,
    ...balanceOf(program, account, nowMs),
    onHold: onHoldOf(account) as Won,
    spent: spentOf(account) as Won,
    leftToday: capPerDay === undefined ? undefined : ((capPerDay - usedIn(account.day, dayOf(nowMs))) as Won),
    leftThisMonth: capPerMonth === undefined ? undefined : ((capPerMonth - usedIn(account.month, monthOf(nowMs))) as Won),
    ownShareDue,
  }
}

const grantItem = record({
  program: slug,
  /** Place among the citizen's grants in the programme. */
  grant: integer(1, accountGrantsMax),
  tier: slug,
  amount: won,
  spent: won,
  reclaimed: won,
  onHold: won,
  left: won,
  ownPaid: won,
  expiresMs: timeMs,
  expired: boolean,
  revoked: optional(reason),
})

export const grantsQuery = query({
  method: 'points_grants',
  summary: 'The grants of a DID by programme, expired ones included. `limit` counts programmes looked at.',
  params: record({ did, ...pageFields }),
  result: record({ items: list(grantItem, 0, pageItemsMax * accountGrantsMax), next: optional(token(/[\x21-\x7e]+/, 512, 'a cursor')) }),
  run: async (view, params, head) => {
    const { items, next } = await view.scan(programTable, [], pageOf(params))
    return { items: items.flatMap(({ value: program }) => grantItems(program, readAccount(view, program.id, params.did), head.timeMs)), next }
  },
})

function grantItems(program: Program, account: Account, nowMs: TimeMs): readonly Infer<typeof grantItem>[] {
  return account.grants.map((each, i) => ({
    ...each,
    program: program.id,
    grant: i + 1,
    left: leftOf(each),
    expiresMs: expiresMsOf(program, each),
    expired: isExpired(program, each, nowMs),
  }))
}

export const applicationQuery = query({
  method: 'points_application',
  summary: 'A DID’s application to a programme: its tier, its place in line, how many are at most ahead of it, and what became of it.',
  params: record({ program: slug, did }),
  result: record({
    ...applicationFields,
    /** While it waits in line: numbers before its own that are not served yet, some of whom may have left. */
    aheadMax: optional(integer()),
  }),
  run: (view, { program, did: applicant }) => {
    const found = view.get(accountTable, program, applicant)?.application
    return found === undefined ? undefined : { ...found, aheadMax: found.line === undefined ? undefined : found.line - readLine(view, program).head }
  },
})

const accountItem = record({ did, ...accountFields })

export const accountsQuery = query({
  method: 'points_accounts',
  summary: 'Every account of a programme as it is kept: for an auditor to add up.',
  params: record({ program: slug, ...pageFields }),
  result: pageResult(accountItem),
  run: async (view, params) => {
    if (view.get(programTable, params.program) === undefined) return undefined
    const { items, next } = await view.scan(accountTable, [params.program], pageOf(params))
    return { items: items.map(({ key, value }) => ({ did: key[1] as Did, ...value })), next }
  },
})
