// Governance: what the organisations decide together, and the roles that follow from it.
import { validatorsMax } from '../../primitives/limits.ts'
import { bytes, height, type Infer, integer, list, oneOf, optional, record, refine, slug, timeMs, token, did, union } from '../../primitives/schema.ts'
import { settingsChange as communitySettings } from '../community/types.ts'
import { parameterChange, parameters } from '../parameters.ts'
import { publicText } from '../public-text.ts'
import { settingsChange as reservationSettings } from '../reservation/types.ts'
import { everyScope, roleName } from '../roles.ts'
import { address, addressesMax, validatorEntry } from './validator-sets.ts'

export const organisationsMax = 8
/** In one organisation: small enough to recount at every vote. */
export const governorsMax = 32
/** How long a proposal may stand open. */
export const proposalMsMax = 30 * 24 * 60 * 60_000

/** What a role reaches: the name of a programme, facility, living area, category or organisation, or `*` for every one. */
export const roleScope = token(/\*|[a-z0-9]+(?:-[a-z0-9]+)*/, 64, 'a name of lower-case letters, digits and hyphens, or *')

const roleFields = { did, role: roleName, scope: roleScope } as const

/** A governor speaks for one organisation, never for every one, and until revoked: no vote lapses unseen. */
export const grantRolePayload = refine(record({ ...roleFields, untilMs: optional(timeMs) }), ({ role, scope, untilMs }) =>
  role !== 'governor' || (scope !== everyScope && untilMs === undefined) ? undefined : 'the name of an organisation as the scope of a governor, and no untilMs',
)
export type GrantRolePayload = Infer<typeof grantRolePayload>

export const revokeRolePayload = record(roleFields)
export type RevokeRolePayload = Infer<typeof revokeRolePayload>

const reachable = list(address, 1, addressesMax)

/** One step of a change of the validator set. */
export const validatorChange = union({
  add: refine(validatorEntry, ({ addresses }) => (addresses.length > 0 ? undefined : 'at least one address')),
  remove: record({ name: slug }),
  /** Another node takes the place under the same name; at new addresses, if it is elsewhere. */
  replaceKey: record({ name: slug, publicKey: bytes(32, 32), addresses: optional(reachable) }),
  /** 0: none any more. */
  setMinimum: record({ organisation: slug, minimum: integer(0, validatorsMax) }),
})
export type ValidatorChange = Infer<typeof validatorChange>
/** In one decision. */
const validatorChangesMax = 16

/** Two contradictory messages of one validator, with room for those that carry certificates. */
export const evidenceBytesMax = 32_768

/** Every family but governance, which must be able to resume the others. A test holds this against the list of families. */
export const pausableFamilies = ['did', 'credential', 'points', 'reservation', 'community'] as const
export const pausableFamily = oneOf(...pausableFamilies)
export type PausableFamily = Infer<typeof pausableFamily>

export const ruleSetRow = record({ version: integer(2, 65_535), fromHeight: height })
export type RuleSetRow = Infer<typeof ruleSetRow>

/** What a proposal would do. A new kind of decision is a variant here and a case in actions.ts; the order of variants is free. */
export const action = union({
  grantRole: grantRolePayload,
  revokeRole: revokeRolePayload,
  /** Those that change; the others stay as they are at the moment of the decision. */
  setParameters: record({ parameters: parameterChange }),
  /** The same for what a family lets be set. A seat, a place or a post that is there stays as it was made. */
  setReservations: record({ settings: reservationSettings }),
  setCommunity: record({ settings: communitySettings }),
  changeValidators: record({ changes: list(validatorChange, 1, validatorChangesMax) }),
  setAddresses: record({ name: slug, addresses: reachable }),
  activateRules: ruleSetRow,
  pauseFamily: record({ family: pausableFamily }),
  resumeFamily: record({ family: pausableFamily }),
})
export type Action = Infer<typeof action>

export const proposalNumber = integer(1)

export const proposePayload = refine(
  record({
    action,
    /** The last block time at which it can be voted on and so executed. */
    expiresMs: timeMs,
    /** For a change of validators: contradictory messages, as `dongbaek validators --evidence` writes and checks them. The rules keep its hash and do not judge it; the governors do. */
    evidence: optional(bytes(1, evidenceBytesMax)),
  }),
  ({ action: proposed, evidence }) => (evidence === undefined || proposed.type === 'changeValidators' ? undefined : 'evidence with a change of validators only'),
)
export type ProposePayload = Infer<typeof proposePayload>

export const vote = oneOf('yes', 'no')

export const votePayload = record({ proposal: proposalNumber, vote })
export type VotePayload = Infer<typeof votePayload>

export const organisation = record({ name: slug, title: publicText(1, 100) })
export type Organisation = Infer<typeof organisation>

/** Roles that a genesis may grant. */
const genesisRolesMax = 10_000

export const governanceGenesis = refine(
  record({
    parameters,
    organisations: refine(list(organisation, 1, organisationsMax), (all) => (new Set(all.map(({ name }) => name)).size === all.length ? undefined : 'organisations with distinct names')),
    roles: list(record(roleFields), 0, genesisRolesMax),
  }),
  ({ organisations, roles }) => {
    if (new Set(roles.map(({ did: holder, role, scope }) => `${holder} ${role} ${scope}`)).size < roles.length) return 'each role granted once'
    const governors = roles.filter(({ role }) => role === 'governor')
    const names = organisations.map(({ name }) => name)
    const odd = governors.find(({ scope }) => !names.includes(scope))
    if (odd !== undefined) return `an organisation of the genesis as the scope of a governor (not ${odd.scope})`
    if (new Set(governors.map(({ did: holder }) => holder)).size < governors.length) return 'each governor in one organisation'
    const wrong = names.find((name) => {
      const count = governors.filter(({ scope }) => scope === name).length
      return count === 0 || count > governorsMax
    })
    return wrong === undefined ? undefined : `1 to ${governorsMax} governors of ${wrong}`
  },
)
export type GovernanceGenesis = Infer<typeof governanceGenesis>
