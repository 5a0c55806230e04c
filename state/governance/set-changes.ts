// What a decision does to a validator set: the changes in order, each on what the one before left, and the rules that the outcome must keep. Pure.
import { equalBytes } from '../../primitives/bytes.ts'
import { unreachable } from '../../primitives/errors.ts'
import { validatorsMax } from '../../primitives/limits.ts'
import { alternateOrganisations } from '../../primitives/turns.ts'
import { type Refusal, refuse } from '../family.ts'
import type { ValidatorChange } from './types.ts'
import type { MinimumEntry, ValidatorEntry, ValidatorSetRow } from './validator-sets.ts'

type Members = Pick<ValidatorSetRow, 'validators' | 'minimums'>

/** The set after the changes, or why there is none. `organisations`: those that vote in governance. */
export function changeSet(before: Members, changes: readonly ValidatorChange[], organisations: readonly string[]): Members | Refusal {
  let members = before
  for (const change of changes) {
    const next = applyOne(members, change, organisations)
    if ('code' in next) return next
    members = next
  }
  const after = { ...members, validators: alternateOrganisations(members.validators) }
  return wrongWith(before, after) ?? after
}

function applyOne({ validators, minimums }: Members, change: ValidatorChange, organisations: readonly string[]): Members | Refusal {
  switch (change.type) {
    case 'add': {
      const { type: _, ...entry } = change
      if (!organisations.includes(entry.organisation)) return refuse('governance/unknown-organisation', { organisation: entry.organisation })
      return { validators: [...validators, entry], minimums }
    }
    case 'remove':
      if (!validators.some(({ name }) => name === change.name)) return refuse('governance/unknown-validator', { validator: change.name })
      return { validators: validators.filter(({ name }) => name !== change.name), minimums }
    case 'replaceKey': {
      const { name, publicKey, addresses } = change
      if (!validators.some((one) => one.name === name)) return refuse('governance/unknown-validator', { validator: name })
      return { validators: validators.map((one) => (one.name === name ? { ...one, publicKey, addresses: addresses ?? one.addresses } : one)), minimums }
    }
    case 'setMinimum': {
      const { organisation, minimum } = change
      const others = minimums.filter((one) => one.organisation !== organisation)
      return { validators, minimums: minimum === 0 ? others : [...others, { organisation, minimum }] }
    }
    default:
      return unreachable(change)
  }
}

function wrongWith(before: Members, { validators, minimums }: Members): Refusal | undefined {
  const n = validators.length
  if (n < 1 || n > validatorsMax) return refuse('governance/set-size', { validators: n, max: validatorsMax })
  const names = validators.map(({ name }) => name)
  const double = names.find((name, i) => names.indexOf(name) < i)
  if (double !== undefined) return refuse('governance/validator-twice', { validator: double })
  const same = validators.find(({ publicKey }, i) => validators.findIndex((other) => equalBytes(other.publicKey, publicKey)) < i)
  if (same !== undefined) return refuse('governance/validator-key-twice', { validator: same.name })
  const unmet = minimums.find(({ organisation, minimum }) => minimum > membersOf(validators, organisation))
  if (unmet !== undefined) return refuse('governance/minimum-unreachable', { organisation: unmet.organisation, minimum: unmet.minimum, validators: membersOf(validators, unmet.organisation) })
  if (sameMembers(before, { validators, minimums })) return refuse('governance/set-unchanged')
  // those who were not there before may not be there at the activation either: the rest must be able to go on without them
  const newcomers = validators.filter(({ publicKey }) => !before.validators.some((one) => equalBytes(one.publicKey, publicKey))).length
  const newcomersMax = Math.max(1, faulty(n))
  if (newcomers > newcomersMax) return refuse('governance/set-change-too-large', { newcomers, max: newcomersMax })
  const alone = aloneIn({ validators, minimums })
  if (alone !== undefined && aloneIn(before) === undefined) return refuse('governance/set-one-organisation', { organisation: alone })
  return undefined
}

function membersOf(validators: readonly ValidatorEntry[], organisation: string): number {
  return validators.filter((one) => one.organisation === organisation).length
}

function sameMembers(a: Members, b: Members): boolean {
  const sameMinimums = (x: readonly MinimumEntry[], y: readonly MinimumEntry[]): boolean => x.length === y.length && x.every((one) => y.some((other) => other.organisation === one.organisation && other.minimum === one.minimum))
  return a.validators.length === b.validators.length && sameMinimums(a.minimums, b.minimums) && a.validators.every((one) => b.validators.some((other) => other.name === one.name && other.organisation === one.organisation && equalBytes(other.publicKey, one.publicKey)))
}

/** Of two organisations or more, one whose validators can make blocks final without any other. */
function aloneIn({ validators, minimums }: Members): string | undefined {
  const organisations = [...new Set(validators.map(({ organisation }) => organisation))]
  if (organisations.length < 2) return undefined
  return organisations.find((organisation) => membersOf(validators, organisation) >= quorumOf(validators.length) && minimums.every((one) => one.organisation === organisation))
}

function faulty(n: number): number {
  return Math.floor((n - 1) / 3)
}

/** The same as in consensus (docs/consensus.md, who and how many), which the rules of the state do not know. */
export function quorumOf(n: number): number {
  return Math.ceil((n + faulty(n) + 1) / 2)
}
