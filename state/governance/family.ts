// Governance: proposals that need a majority inside every organisation, roles, and the parameters of the rules.
import { family } from '../family.ts'
import { governanceCodes } from './codes.ts'
import { governanceEvents } from './events.ts'
import { genesis } from './genesis.ts'
import { grantRole } from './grant-role.ts'
import { propose } from './propose.ts'
import { governanceQueries } from './queries.ts'
import { revokeRole } from './revoke-role.ts'
import { vote } from './vote.ts'

export const governanceFamily = family({
  name: 'governance',
  kinds: [propose, vote, grantRole, revokeRole],
  events: governanceEvents,
  queries: governanceQueries,
  codes: governanceCodes,
  genesis,
})
