// What governance keeps of its proposals.
import { did, height, type Infer, integer, list, oneOf, optional, record, slug, timeMs } from '../../primitives/schema.ts'
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

export function readProposal(view: ReadView, proposal: number): ProposalRow | undefined {
  return view.get(proposalTable, proposal)
}

