import type { TimeMs } from '../../primitives/brand.ts'
import { kind, refuse } from '../family.ts'
import { proposed } from './events.ts'
import { proposalCountTable, proposalTable } from './keys.ts'
import { organisationOf } from './organisations.ts'
import { proposalMsMax, proposePayload } from './types.ts'

export const propose = kind({
  kind: 'governance.propose',
  summary: 'A governor opens a proposal. It is executed by the vote that gives it a majority inside every organisation.',
  payload: proposePayload,
  apply: ({ block, transaction, view, emit }, { action, expiresMs }) => {
    const { sender } = transaction
    if (organisationOf(view, sender) === undefined) return refuse('governance/not-a-governor')
    const latestMs = (block.timeMs + proposalMsMax) as TimeMs
    if (expiresMs <= block.timeMs || expiresMs > latestMs) return refuse('governance/expiry-out-of-range', { blockTimeMs: block.timeMs, latestMs })
    const proposal = (view.get(proposalCountTable, 'all') ?? 0) + 1
    view.put(proposalCountTable, ['all'], proposal)
    view.put(proposalTable, [proposal], { action, proposer: sender, openedAtHeight: block.height, expiresMs, state: 'open', ballots: [] })
    emit(proposed({ proposal, proposer: sender, action, expiresMs }))
    return undefined
  },
})
