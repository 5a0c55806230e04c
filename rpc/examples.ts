// Example parameters of the families' queries, for the documents and for the tests that call each. They name what a devnet has after launch day, so that most can be
// copied and run; DIDs and hashes are made anew on every chain and stand for some of it. Where there is nothing of the name the answer is `<family>/not-found`.
import type { JsonObject } from '../primitives/schema.ts'
import { exampleDid, exampleHash } from './api/declare.ts'

const program = 'multi-child'
const livingArea = 'nampo'
const facility = 'nampo-lecture'
const slot = 'launch-day-lecture-1'

export const queryExamples: Readonly<Record<string, JsonObject>> = {
  did_resolve: { did: exampleDid },
  did_history: { did: exampleDid },
  did_pending: { did: exampleDid },
  credential_issuers: {},
  credential_status: { list: 'citizenship', index: 0 },
  credential_statusChunk: { list: 'citizenship', chunk: 0 },
  credential_anchor: { hash: exampleHash },
  credential_schemas: { issuer: exampleDid },
  points_programs: {},
  points_program: { program },
  points_balance: { did: exampleDid },
  points_grants: { did: exampleDid },
  points_application: { program, did: exampleDid },
  points_claims: { merchant: exampleDid },
  points_settlements: { limit: 10 },
  points_audit: { program },
  points_due: { program },
  points_debt: { merchant: exampleDid, program },
  points_hold: { merchant: exampleDid, purchase: exampleHash },
  points_repayment: { payment: 'BNK-launch-day-0002' },
  points_statement: { program, limit: 31 },
  points_accounts: { program, limit: 10 },
  points_programClaims: { program, limit: 10 },
  points_purchase: { merchant: exampleDid, purchase: exampleHash },
  points_settlement: { payment: 'BNK-launch-day-0001' },
  points_merchant: { merchant: exampleDid },
  points_merchants: { limit: 10 },
  reservation_facilities: { livingArea, limit: 10 },
  reservation_facility: { facility },
  reservation_slots: { facility, from: 0, to: 86_400_000 },
  reservation_slot: { slot },
  reservation_byDid: { did: exampleDid },
  reservation_seat: { slot, did: exampleDid },
  reservation_holders: { slot, limit: 10 },
  reservation_course: { course: 'launch-day-lecture' },
  reservation_draw: { slot },
  reservation_standing: { did: exampleDid },
  reservation_settings: {},
  community_posts: { livingArea, board: 'talk', limit: 10 },
  community_boards: { livingArea },
  community_appeals: { livingArea },
  community_post: { post: exampleHash },
  map_livingAreas: {},
  map_features: { livingArea },
  governance_roles: {},
  governance_proposals: {},
  governance_parameters: {},
  governance_organisations: {},
  governance_validators: {},
  governance_rules: {},
}
