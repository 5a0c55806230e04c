// What governance keeps of its proposals.
import { did, hash, height, type Infer, integer, list, oneOf, optional, record, slug, timeMs } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import type { ReadView } from '../view.ts'
import { action, governorsMax, organisationsMax, vote } from './types.ts'

export const ballot = record({ governor: did, organisation: slug, vote })
export type Ballot = Infer<typeof ballot>

/** `open` past its time counts as expired: nothing runs at the moment of expiry. */
export const proposalState = oneOf('open', 'executed', 'rejected', 'failed')

export const proposalRow = record({
  action,
  proposer: did,
  /** Hash of the evidence that its transaction carries. */
  evidence: optional(hash),
  openedAtHeight: height,
  expiresMs: timeMs,
  state: proposalState,
  /** In the order of the votes, one a governor. */
  ballots: list(ballot, 0, organisationsMax * governorsMax),
  closedAtHeight: optional(height),
})
export type ProposalRow = Infer<typeof proposalRow>

/** governance.proposal/<number> */
export const proposalTable = table('governance.proposal', proposalRow)
/** governance.proposalCount/all: the number of the last proposal. */
export const proposalCountTable = table('governance.proposalCount', integer())

/** Proposals open at once: what a change of governors makes recount. */
export const openProposalsMax = 64
/** governance.open/all: numbers of the open proposals, ascending; those that have expired stay until room is needed. */
export const openProposalsTable = table('governance.open', list(integer(1), 0, openProposalsMax))

export function openProposals(view: ReadView): readonly number[] {
  return view.get(openProposalsTable, 'all') ?? []
}

export function readProposal(view: ReadView, proposal: number): ProposalRow | undefined {
  return view.get(proposalTable, proposal)
}

