// Voting, once a governor and proposal. What the votes come to is counted in count.ts.
import { kind, type Refusal, refuse } from '../family.ts'
import { changesGovernors, recount, settle, validBallots } from './count.ts'
import { voted } from './events.ts'
import { type ProposalRow, proposalTable, readProposal } from './keys.ts'
import { organisationOf } from './organisations.ts'
import { votePayload } from './types.ts'

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
    const standing = validBallots(view, row.ballots)
    if (standing.some(({ governor }) => governor === sender)) return refuse('governance/already-voted', { proposal })

    const next: ProposalRow = { ...row, ballots: [...standing, { governor: sender, organisation, vote: said }] }
    view.put(proposalTable, [proposal], next)
    emit(voted({ proposal, organisation, governor: sender, vote: said }))
    const refusal = settle(context, proposal, next, sender)
    if (refusal !== undefined) return refusal
    if (changesGovernors(next) && readProposal(view, proposal)?.state === 'executed') recount(context, sender)
    return undefined
  },
})
