// The methods by name, for their types alone: nothing of the server comes along.
import type { Schema } from '../../primitives/schema.ts'
import type * as queriesOfCommunity from '../../state/community/queries.ts'
import type * as queriesOfCredentials from '../../state/credential/queries.ts'
import type * as queriesOfGovernance from '../../state/governance/queries.ts'
import type * as queriesOfDids from '../../state/did/queries.ts'
import type * as queriesOfAccounts from '../../state/points/query-accounts.ts'
import type * as queriesOfAudit from '../../state/points/query-audit.ts'
import type * as queriesOfClaims from '../../state/points/query-claims.ts'
import type * as queriesOfPrograms from '../../state/points/query-programs.ts'
import type * as queriesOfStatements from '../../state/points/query-statement.ts'
import type * as queriesOfReservations from '../../state/reservation/queries.ts'
import type * as chain from '../api/chain.ts'
import type * as community from '../api/community.ts'
import type * as credential from '../api/credential.ts'
import type * as events from '../api/events.ts'
import type * as node from '../api/node.ts'
import type * as state from '../api/state.ts'
import type * as tx from '../api/tx.ts'
import type { JsonOf } from './json-of.ts'

interface Methods {
  node_status: typeof node.nodeStatusMethod
  node_peers: typeof node.nodePeersMethod
  'rpc.discover': typeof node.discoverMethod
  chain_head: typeof chain.chainHead
  chain_genesis: typeof chain.chainGenesis
  chain_genesisBytes: typeof chain.chainGenesisBytes
  chain_getBlock: typeof chain.chainGetBlock
  chain_getBlocks: typeof chain.chainGetBlocks
  chain_getCertificate: typeof chain.chainGetCertificate
  chain_getCheckpoint: typeof chain.chainGetCheckpoint
  chain_getSetChanges: typeof chain.chainGetSetChanges
  chain_getValidators: typeof chain.chainGetValidators
  chain_getEvidence: typeof chain.chainGetEvidence
  tx_submit: typeof tx.txSubmit
  tx_wait: typeof tx.txWait
  tx_get: typeof tx.txGet
  tx_simulate: typeof tx.txSimulate
  tx_getByDid: typeof tx.txGetByDid
  tx_proof: typeof tx.txProof
  state_proof: typeof state.stateProof
  state_snapshotInfo: typeof state.stateSnapshotInfo
  events_since: typeof events.eventsSince
  events_proof: typeof events.eventsProof
  events_blockProof: typeof events.eventsBlockProof
  community_putBody: typeof community.communityPutBody
  community_getBody: typeof community.communityGetBody
  points_programs: typeof queriesOfPrograms.programsQuery
  points_program: typeof queriesOfPrograms.programQuery
  points_merchant: typeof queriesOfPrograms.merchantQuery
  points_merchants: typeof queriesOfPrograms.merchantsQuery
  points_balance: typeof queriesOfAccounts.balanceQuery
  points_grants: typeof queriesOfAccounts.grantsQuery
  points_application: typeof queriesOfAccounts.applicationQuery
  points_accounts: typeof queriesOfAccounts.accountsQuery
  points_claims: typeof queriesOfClaims.claimsQuery
  points_programClaims: typeof queriesOfClaims.programClaimsQuery
  points_due: typeof queriesOfClaims.dueQuery
  points_debt: typeof queriesOfClaims.debtQuery
  points_hold: typeof queriesOfClaims.holdQuery
  points_purchase: typeof queriesOfClaims.purchaseQuery
  points_settlements: typeof queriesOfClaims.settlementsQuery
  points_settlement: typeof queriesOfClaims.settlementQuery
  points_repayment: typeof queriesOfClaims.repaymentQuery
  points_statement: typeof queriesOfStatements.statementQuery
  points_audit: typeof queriesOfAudit.auditQuery
  governance_roles: typeof queriesOfGovernance.rolesQuery
  governance_proposals: typeof queriesOfGovernance.proposalsQuery
  governance_parameters: typeof queriesOfGovernance.parametersQuery
  governance_organisations: typeof queriesOfGovernance.organisationsQuery
  governance_validators: typeof queriesOfGovernance.validatorsQuery
  governance_rules: typeof queriesOfGovernance.rulesQuery
  did_resolve: typeof queriesOfDids.resolve
  did_history: typeof queriesOfDids.history
  did_pending: typeof queriesOfDids.pending
  credential_issuers: typeof queriesOfCredentials.issuers
  credential_schemas: typeof queriesOfCredentials.schemas
  credential_anchor: typeof queriesOfCredentials.anchorQuery
  credential_status: typeof queriesOfCredentials.status
  credential_statusList: typeof credential.credentialStatusList
  credential_statusChunk: typeof queriesOfCredentials.statusChunk
  community_boards: typeof queriesOfCommunity.boards
  community_posts: typeof queriesOfCommunity.posts
  community_appeals: typeof queriesOfCommunity.appeals
  community_post: typeof queriesOfCommunity.onePost
  reservation_facilities: typeof queriesOfReservations.facilities
  reservation_facility: typeof queriesOfReservations.oneFacility
  reservation_slots: typeof queriesOfReservations.slots
  reservation_slot: typeof queriesOfReservations.oneSlot
  reservation_byDid: typeof queriesOfReservations.byDid
  reservation_seat: typeof queriesOfReservations.oneSeat
  reservation_holders: typeof queriesOfReservations.holders
  reservation_course: typeof queriesOfReservations.oneCourse
  reservation_draw: typeof queriesOfReservations.oneDraw
  reservation_standing: typeof queriesOfReservations.standing
  reservation_settings: typeof queriesOfReservations.settings
  map_livingAreas: typeof queriesOfReservations.livingAreas
  map_features: typeof queriesOfReservations.features
}

export type MethodName = keyof Methods

/** Parameters in JSON form. */
export type ParamsJson<M extends MethodName> = Methods[M] extends { readonly params: Schema<infer P> } ? JsonOf<P> : never
/** Result in JSON form. */
export type ResultJson<M extends MethodName> = Methods[M] extends { readonly result: Schema<infer R> } ? JsonOf<R> : never
