import type { TimeMs } from '../../primitives/brand.ts'
import { kind, refuse } from '../family.ts'
import { proposed } from './events.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { openProposals, openProposalsMax, openProposalsTable, proposalCountTable, proposalTable, readProposal } from './keys.ts'
import { organisationOf } from './organisations.ts'
import { proposalMsMax, proposePayload } from './types.ts'

export const propose = kind({
  kind: 'governance.propose',
  summary: 'A governor opens a proposal. It is executed by the vote that gives it a majority inside every organisation.',
  payload: proposePayload,
  apply: ({ block, transaction, view, emit }, { action, expiresMs, evidence: attached }) => {
    const { sender } = transaction
    if (organisationOf(view, sender) === undefined) return refuse('governance/not-a-governor')
    const latestMs = (block.timeMs + proposalMsMax) as TimeMs
    if (expiresMs <= block.timeMs || expiresMs > latestMs) return refuse('governance/expiry-out-of-range', { blockTimeMs: block.timeMs, latestMs })
    const open = openProposals(view).filter((number) => block.timeMs <= (readProposal(view, number)?.expiresMs ?? 0))
    if (open.length >= openProposalsMax) return refuse('governance/too-many-open', { max: openProposalsMax })
    const evidence = attached === undefined ? undefined : taggedHash('governance-evidence', attached)
    const proposal = (view.get(proposalCountTable, 'all') ?? 0) + 1
    view.put(proposalCountTable, ['all'], proposal)
    view.put(proposalTable, [proposal], { action, proposer: sender, evidence, openedAtHeight: block.height, expiresMs, state: 'open', ballots: [] })
    view.put(openProposalsTable, ['all'], [...open, proposal])
    emit(proposed({ proposal, proposer: sender, action, expiresMs, evidence }))
    return undefined
  },
})
