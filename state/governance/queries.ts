// What governance answers: who holds which role, what is proposed, and which parameters hold.
import type { Did } from '../../primitives/brand.ts'
import { did, height, type Infer, integer, list, oneOf, optional, record, slug, text } from '../../primitives/schema.ts'
import { parameters } from '../parameters.ts'
import { pageFields, pageOf, pageResult, query } from '../query.ts'
import { roleGrant, type RoleName, roleName, roleTable } from '../roles.ts'
import { type ProposalRow, proposalRow, proposalTable } from './keys.ts'
import { governorsOf, organisations } from './organisations.ts'
import { parametersAt } from './parameters.ts'
import { pausedTable } from './pause.ts'
import { newestRuleSet, ruleSetAt, scheduledRuleSet } from './rule-sets.ts'
import { governorsMax, organisationsMax, pausableFamilies, pausableFamily, proposalNumber, roleScope, ruleSetRow } from './types.ts'
import { type NumberedSet, scheduledSet, setInForce, validatorSetRow } from './validator-sets.ts'

const heldRole = record({ did, role: roleName, scope: roleScope, grant: roleGrant })

export const rolesQuery = query({
  method: 'governance_roles',
  summary: 'Roles that are held, of one DID or of all, in the order of DIDs. A role whose term is over is listed until it is revoked.',
  params: record({ did: optional(did), ...pageFields }),
  result: pageResult(heldRole),
  run: async (view, params) => {
    const { items, next } = await view.scan(roleTable, params.did === undefined ? [] : [params.did], pageOf(params))
    return { items: items.map(({ key: [holder, role, scope], value }) => ({ did: holder as Did, role: role as RoleName, scope: scope as string, grant: value })), ...(next === undefined ? {} : { next }) }
  },
})

const shownState = oneOf('open', 'expired', 'executed', 'rejected', 'failed')
const shownProposal = record({ proposal: proposalNumber, state: shownState, content: proposalRow })

function shownStateOf({ state, expiresMs }: ProposalRow, nowMs: number): 'open' | 'expired' | 'executed' | 'rejected' | 'failed' {
  return state === 'open' && nowMs > expiresMs ? 'expired' : state
}

export const proposalsQuery = query({
  method: 'governance_proposals',
  summary: 'Proposals with their votes, in the order of their numbers; with a state, a page may hold fewer than asked for while there is a next.',
  params: record({ state: optional(shownState), ...pageFields }),
  result: pageResult(shownProposal),
  run: async (view, params, head) => {
    const { items, next } = await view.scan(proposalTable, [], pageOf(params))
    const shown = items.map(({ key, value }) => ({ proposal: Number(key[0]), state: shownStateOf(value, head.timeMs), content: value }))
    return { items: shown.filter(({ state }) => params.state === undefined || state === params.state), ...(next === undefined ? {} : { next }) }
  },
})

export const parametersQuery = query({
  method: 'governance_parameters',
  summary: 'The parameters of the rules at the end of a height, the last one if none is given.',
  params: record({ height: optional(height) }),
  result: record({ parameters }),
  run: (view, params, head) => {
    const at = params.height ?? head.height
    const found = at > head.height ? undefined : parametersAt(view, at)
    return found === undefined ? undefined : { parameters: found }
  },
})

const shownOrganisation = record({ name: slug, title: text(1, 100), governors: list(did, 0, governorsMax) })

export const organisationsQuery = query({
  method: 'governance_organisations',
  summary: 'The organisations that decide together, with their governors.',
  params: record({}),
  result: record({ items: list(shownOrganisation, 1, organisationsMax) }),
  run: (view) => ({ items: organisations(view).map(({ name, title }) => ({ name, title, governors: governorsOf(view, name) })) }),
})

const shownSet = record({ number: integer(), content: validatorSetRow })

export const validatorsQuery = query({
  method: 'governance_validators',
  summary: 'The validator set of the next block with the addresses at which it is reached, and the one that is agreed on and not in force yet. All sets there were, and their proofs: chain_getSetChanges.',
  params: record({}),
  result: record({ current: shownSet, scheduled: optional(shownSet) }),
  run: (view, _, head) => {
    const shown = ({ number, row }: NumberedSet): Infer<typeof shownSet> => ({ number, content: row })
    const next = (head.height + 1) as typeof head.height
    const scheduled = scheduledSet(view, next)
    return { current: shown(setInForce(view, next)), ...(scheduled === undefined ? {} : { scheduled: shown(scheduled) }) }
  },
})

export const rulesQuery = query({
  method: 'governance_rules',
  summary: 'The rule set of the next block, the one that is agreed on and not in force yet, the newest that this node knows, and the families that are paused.',
  params: record({}),
  result: record({ version: integer(1), scheduled: optional(ruleSetRow), newestKnown: integer(1), paused: list(record({ family: pausableFamily, sinceHeight: height }), 0, pausableFamilies.length) }),
  run: (view, _, head) => {
    const next = (head.height + 1) as typeof head.height
    const scheduled = scheduledRuleSet(view, next)
    const paused = pausableFamilies.flatMap((family) => {
      const row = view.get(pausedTable, family)
      return row === undefined ? [] : [{ family, sinceHeight: row.sinceHeight }]
    })
    return { version: ruleSetAt(view, next), ...(scheduled === undefined ? {} : { scheduled }), newestKnown: newestRuleSet, paused }
  },
})

export const governanceQueries = [rolesQuery, proposalsQuery, parametersQuery, organisationsQuery, validatorsQuery, rulesQuery]
