// Voting. A proposal is agreed on when, inside every organisation, more than half of its governors of this moment have said yes; it is rejected when in one of
// them that can no longer be. The completing vote executes it, at most once, since a closed proposal takes no vote.
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import type { ReadView } from '../view.ts'
import { execute } from './actions.ts'
import { closed, voted } from './events.ts'
import { type Ballot, type ProposalRow, proposalTable, readProposal } from './keys.ts'
import { governorsOf, organisationOf, organisations } from './organisations.ts'
import { votePayload } from './types.ts'

type Standing = 'open' | 'agreed' | 'rejected'

/** Of ballots of governors who are so still. */
export function standingOf(view: ReadView, ballots: readonly Ballot[]): Standing {
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

function close(context: Context, proposal: number, row: ProposalRow, outcome: 'executed' | 'rejected' | 'failed', code?: string): void {
  context.view.put(proposalTable, [proposal], { ...row, state: outcome, closedAtHeight: context.block.height })
  context.emit(closed({ proposal, outcome, ...(code === undefined ? {} : { code }) }))
}

export const vote = kind({
  kind: 'governance.vote',
  summary: 'A governor votes on an open proposal, once. The vote that completes a majority inside every organisation executes it.',
  payload: votePayload,
  apply: (context, { proposal, vote: said }): Refusal | undefined => {
    const { block, transaction, view, emit } = context
    const { sender } = transaction
    const organisation = organisationOf(view, sender)
    if (organisation === undefined) return refuse('governance/not-a-governor')
    const row = readProposal(view, proposal)
    if (row === undefined) return refuse('governance/unknown-proposal', { proposal })
    if (row.state !== 'open') return refuse('governance/proposal-closed', { proposal, state: row.state })
    if (block.timeMs > row.expiresMs) return refuse('governance/proposal-expired', { proposal, expiresMs: row.expiresMs })
    // the ballots of those who are governors no more are dropped, so that there are never more than there may be governors
    const standing = row.ballots.filter((ballot) => governorsOf(view, ballot.organisation).includes(ballot.governor))
    if (standing.some(({ governor }) => governor === sender)) return refuse('governance/already-voted', { proposal })

    const next: ProposalRow = { ...row, ballots: [...standing, { governor: sender, organisation, vote: said }] }
    view.put(proposalTable, [proposal], next)
    emit(voted({ proposal, organisation, governor: sender, vote: said }))
    const outcome = standingOf(view, next.ballots)
    if (outcome === 'rejected') close(context, proposal, next, 'rejected')
    if (outcome === 'agreed') {
      const refusal = execute(context, next.action, sender)
      if (refusal === undefined) close(context, proposal, next, 'executed')
      else close(context, proposal, next, 'failed', refusal.code)
    }
    return undefined
  },
})
