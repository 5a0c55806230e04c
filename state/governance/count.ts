// Counting. A proposal is agreed on when, inside every organisation, more than half of its governors of this moment have said yes; it is rejected when in one of
// them that can no longer be. Whatever completes the agreement executes it, at most once, since a closed proposal is counted no more.
import type { Did } from '../../primitives/brand.ts'
import type { BlockContext, Refusal } from '../family.ts'
import type { ReadView } from '../view.ts'
import { execute } from './actions.ts'
import { closed } from './events.ts'
import { type Ballot, openProposals, openProposalsTable, type ProposalRow, proposalTable, readProposal } from './keys.ts'
import { governorsOf, organisations } from './organisations.ts'

type Standing = 'open' | 'agreed' | 'rejected'

/** Ballots of those who are governors of the organisation still; the others count no more, and are dropped at the next vote. */
export function validBallots(view: ReadView, ballots: readonly Ballot[]): readonly Ballot[] {
  return ballots.filter(({ governor, organisation }) => governorsOf(view, organisation).includes(governor))
}

function standingOf(view: ReadView, ballots: readonly Ballot[]): Standing {
  let agreed = true
  for (const { name } of organisations(view)) {
    const governors = governorsOf(view, name)
    const count = (said: Ballot['vote']): number => ballots.filter((ballot) => ballot.vote === said && ballot.organisation === name).length
    const needed = Math.floor(governors.length / 2) + 1
    if (governors.length - count('no') < needed) return 'rejected'
    if (count('yes') < needed) agreed = false
  }
  return agreed ? 'agreed' : 'open'
}

function close(context: BlockContext, proposal: number, row: ProposalRow, outcome: 'executed' | 'rejected' | 'failed', code?: string): void {
  const { block, view, emit } = context
  view.put(proposalTable, [proposal], { ...row, state: outcome, closedAtHeight: block.height })
  view.put(openProposalsTable, ['all'], openProposals(view).filter((number) => number !== proposal))
  emit(closed({ proposal, outcome, ...(code === undefined ? {} : { code }) }))
}

/** What passes by itself: the vote that would complete the agreement is refused, and can be cast again later. */
const passing: ReadonlySet<string> = new Set(['governance/set-change-pending'])

/** Counts one open proposal, and closes it when it is decided; `by` is the governor at whose doing. A refusal has decided nothing. */
export function settle(context: BlockContext, proposal: number, row: ProposalRow, by: Did): Refusal | undefined {
  const standing = standingOf(context.view, validBallots(context.view, row.ballots))
  if (standing === 'rejected') close(context, proposal, row, 'rejected')
  if (standing !== 'agreed') return undefined
  const refusal = execute(context, row.action, by)
  if (refusal !== undefined && passing.has(refusal.code)) return refusal
  if (refusal === undefined) close(context, proposal, row, 'executed')
  else close(context, proposal, row, 'failed', refusal.code)
  return undefined
}

/** After the governors have changed: every open proposal, in the order of their numbers. One that is executed may change them again, so until all stand. */
export function recount(context: BlockContext, by: Did): void {
  const { block, view } = context
  for (const proposal of openProposals(view)) {
    const row = readProposal(view, proposal)
    if (row?.state !== 'open' || block.timeMs > row.expiresMs) continue
    settle(context, proposal, row, by)
    if (readProposal(view, proposal)?.state === 'executed' && changesGovernors(row)) return recount(context, by)
  }
}

export function changesGovernors({ action }: Pick<ProposalRow, 'action'>): boolean {
  return (action.type === 'grantRole' || action.type === 'revokeRole') && action.role === 'governor'
}
