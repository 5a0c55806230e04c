// What must hold in a genesis beyond its schema: every rule that would otherwise fail on the first day, or on the first outage. A failed rule
// names the field and what to do. What is allowed but has a price is a warning: the operators decide, and have read it.
import { validatorSet, validatorSetHash } from '../consensus/validators.ts'
import { faultsTolerated, isQuorum, quorumSize } from '../consensus/quorum.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import { alternateOrganisations } from '../primitives/turns.ts'
import type { DidGenesis } from '../state/did/genesis.ts'
import type { GovernanceGenesis } from '../state/governance/types.ts'
import { chainIdSchema } from '../state/transaction.ts'
import { chainIdOf, type Genesis, genesisError, validatorSetOf } from './genesis.ts'
import { genesisStateRoot } from './state.ts'

/** Throws a DongbaekError `genesis/…` for the first rule that does not hold. */
export function checkGenesis(genesis: Genesis): void {
  checkMembers(genesis)
  checkAddresses(genesis)
  checkQuorum(genesis)
  checkOrganisations(genesis)
  checkRoles(genesis)
  checkConsensus(genesis)
  chainIdSchema.toWire(chainIdOf(genesis), 'name')
  genesisStateRoot(genesis)
}

interface Member {
  readonly field: string
  readonly name: string
  readonly publicKey: Uint8Array
  readonly addresses: readonly string[]
}

function membersOf({ validators, observers }: Genesis): readonly Member[] {
  return [...validators.map((one, i) => ({ field: `validators[${i}]`, ...one })), ...observers.map((one, i) => ({ field: `observers[${i}]`, ...one }))]
}

function checkMembers(genesis: Genesis): void {
  const names = new Map<string, string>()
  const keys = new Map<string, string>()
  for (const { field, name, publicKey } of membersOf(genesis)) {
    const sameName = names.get(name)
    if (sameName !== undefined) throw genesisError('name-twice', `${field}.name`, `${name} is also the name of ${sameName}. Give every validator and observer its own name`)
    names.set(name, field)
    const key = toBase64url(publicKey)
    const sameKey = keys.get(key)
    if (sameKey !== undefined) throw genesisError('key-twice', `${field}.publicKey`, `${key} is also the key of ${sameKey}. Every node needs its own key: make one with "dongbaek keys create"`)
    keys.set(key, field)
  }
}

function checkAddresses(genesis: Genesis): void {
  const owners = new Map<string, string>()
  for (const { field, addresses } of membersOf(genesis)) {
    for (const [i, address] of addresses.entries()) {
      const place = `${field}.addresses[${i}]`
      const port = Number(address.slice(address.lastIndexOf(':') + 1))
      if (port < 1 || port > 65_535) throw genesisError('address', place, `"${address}" needs a port from 1 to 65535`)
      const owner = owners.get(address)
      if (owner !== undefined) throw genesisError('address-twice', place, `${address} is also at ${owner}. Two nodes cannot listen at one address`)
      owners.set(address, place)
    }
  }
  const unreachable = genesis.validators.findIndex((one) => one.addresses.length === 0)
  if (genesis.validators.length > 1 && unreachable >= 0) {
    throw genesisError('address-missing', `validators[${unreachable}].addresses`, 'is empty. Give host:port of at least one address at which the other validators reach it')
  }
}

function checkQuorum({ validators, minimums }: Genesis): void {
  const members = new Map<string, number>()
  for (const { organisation } of validators) members.set(organisation, (members.get(organisation) ?? 0) + 1)
  const named = new Set<string>()
  for (const [i, { organisation, minimum }] of minimums.entries()) {
    const field = `minimums[${i}]`
    if (named.has(organisation)) throw genesisError('minimum-twice', `${field}.organisation`, `${organisation} has a minimum already. Keep one of the two`)
    named.add(organisation)
    const count = members.get(organisation) ?? 0
    if (count === 0) throw genesisError('minimum-unknown', `${field}.organisation`, `no validator belongs to ${organisation}. Name one of ${[...members.keys()].join(', ')}`)
    if (minimum > count) throw genesisError('minimum-unreachable', `${field}.minimum`, `${minimum} of ${organisation} are demanded and it has ${count}, so no block could ever be final. Use at most ${count}`)
  }
  const set = validatorSetOf({ validators, minimums })
  // the two say the same as the rules above; a set that consensus refuses must not pass here for want of a rule
  validatorSet.toWire(set, 'validators')
  assert(isQuorum(set, new Set(validators.keys())), 'all validators together form a quorum')
}

/** Whoever runs validators must be able to vote in governance, or it could never be changed. */
function checkOrganisations({ validators, state }: Genesis): void {
  const known = (state['governance'] as GovernanceGenesis).organisations.map(({ name }) => name)
  for (const [i, { organisation }] of validators.entries()) {
    if (!known.includes(organisation)) throw genesisError('organisation-unknown', `validators[${i}].organisation`, `${organisation} is no organisation of state.governance. Use one of ${known.join(', ')}, or add it there with its governors`)
  }
}

/** A role of nobody could never be used, and a governor of nobody would make a majority unreachable. */
function checkRoles({ state }: Genesis): void {
  const { roles } = state['governance'] as GovernanceGenesis
  const known = new Set((state['did'] as DidGenesis).dids.map(({ did }) => did))
  const odd = roles.findIndex(({ did }) => !known.has(did))
  if (odd >= 0) throw genesisError('role-unknown-did', `state.governance.roles[${odd}].did`, `${roles[odd]?.did ?? ''} is no DID of state.did. Add it there with its keys, or leave the role out`)
}

function checkConsensus({ consensus }: Genesis): void {
  const at = (field: string): string => `consensus.${field}`
  const { window, checkpointInterval, pipelineDepth, viewTimeoutMs, viewTimeoutMaxMs, retransmitMs, inclusionTimeoutMs } = consensus
  if (window < 2 * checkpointInterval) throw genesisError('window', at('window'), `${window} is less than twice checkpointInterval, so the chain would wait for every checkpoint. Use at least ${2 * checkpointInterval}`)
  if (pipelineDepth > window) throw genesisError('pipeline', at('pipelineDepth'), `${pipelineDepth} is more than the window of ${window}. Use at most ${window}`)
  if (viewTimeoutMaxMs < viewTimeoutMs) throw genesisError('timeouts', at('viewTimeoutMaxMs'), `${viewTimeoutMaxMs} is less than viewTimeoutMs. Use at least ${viewTimeoutMs}`)
  if (retransmitMs >= viewTimeoutMs) throw genesisError('timeouts', at('retransmitMs'), `${retransmitMs} is not below viewTimeoutMs, so one lost message would cost a view. Use less than ${viewTimeoutMs}`)
  if (inclusionTimeoutMs < viewTimeoutMs) throw genesisError('timeouts', at('inclusionTimeoutMs'), `${inclusionTimeoutMs} is less than viewTimeoutMs, so a slow primary would be taken for a cheating one. Use at least ${viewTimeoutMs}`)
}

/** What the chain survives, in words, and what it does not: to be read before the network starts. */
export function genesisWarnings(genesis: Genesis): readonly string[] {
  const { validators, minimums } = genesis
  const n = validators.length
  const warnings: string[] = []
  const order = alternateOrganisations(validatorSetOf(genesis).validators)
  if (order.some((one, i) => one.name !== validators[i]?.name)) {
    warnings.push(`The validators do not alternate between organisations, so the outage of one organisation can cost several views in a row. Best: ${order.map((one) => one.name).join(', ')}.`)
  }
  if (faultsTolerated(n) === 0) warnings.push(`${n === 1 ? 'One validator tolerates' : `${n} validators tolerate`} no faulty one. Four are the fewest that tolerate one.`)
  for (const organisation of new Set(validators.map((one) => one.organisation))) {
    const own = validators.filter((one) => one.organisation === organisation).length
    const needed = Math.max(minimums.find((one) => one.organisation === organisation)?.minimum ?? 0, quorumSize(n) - (n - own))
    const spare = own - needed
    if (own - spare > 0 && spare < faultsTolerated(n)) warnings.push(`Every block needs ${needed} of the ${own} validators of ${organisation}: with ${spare + 1} of them down the chain halts until one is back.`)
    else if (needed > 0) warnings.push(`Without ${organisation} no block is final: every block needs ${needed} of its ${own} validators.`)
    if (quorumSize(n) <= own && minimums.every((one) => one.organisation === organisation)) {
      warnings.push(`${organisation} alone forms a quorum and can make history without the others. Set a minimum for each of the others.`)
    }
  }
  return warnings
}

/** For the operators to compare beside the genesis hash: the set that votes. */
export function genesisSummary(genesis: Genesis): { readonly validatorSet: string; readonly stateRoot: string; readonly quorum: number; readonly faulty: number } {
  return {
    validatorSet: toBase64url(validatorSetHash(validatorSetOf(genesis))),
    stateRoot: toBase64url(genesisStateRoot(genesis)),
    quorum: quorumSize(genesis.validators.length),
    faulty: faultsTolerated(genesis.validators.length),
  }
}
