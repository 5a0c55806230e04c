// Governance: proposals that need a majority inside every organisation, on roles, parameters, validators, rule sets and pauses.
import { type BlockContext, family } from '../family.ts'
import { governanceCodes } from './codes.ts'
import { governanceEvents, ruleSetActivated, validatorSetActivated } from './events.ts'
import { genesis } from './genesis.ts'
import { grantRole } from './grant-role.ts'
import { propose } from './propose.ts'
import { governanceQueries } from './queries.ts'
import { revokeRole } from './revoke-role.ts'
import { ruleSetBeginning } from './rule-sets.ts'
import { latestSet } from './validator-sets.ts'
import { vote } from './vote.ts'

/** Tells what takes effect with this block. Nothing is done by it: sets and rule sets are looked up by height. */
function beginBlock({ block, view, emit }: BlockContext): void {
  const { number, row } = latestSet(view)
  if (number > 0 && row.activation === block.height) emit(validatorSetActivated({ number }))
  const ruleSet = ruleSetBeginning(view, block.height)
  if (ruleSet !== undefined) emit(ruleSetActivated({ ruleSet }))
}

export const governanceFamily = family({
  name: 'governance',
  kinds: [propose, vote, grantRole, revokeRole],
  events: governanceEvents,
  queries: governanceQueries,
  codes: governanceCodes,
  genesis,
  beginBlock,
})
