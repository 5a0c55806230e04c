// Who is who, as the chain's state has it: the validator sets with their heights for the replica, who of them this node is, and the peers that follow from them.
// Peers are the members of the set in force, those of the scheduled one, those who were in the set before (they follow, until the next change), and observers.
import { isIP } from 'node:net'
import { type Epoch, indexOfKey, type ValidatorSet } from '../consensus/validators.ts'
import type { Genesis } from '../genesis/genesis.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { type NumberedSet, type ValidatorSetRow, validatorSetLastTable, validatorSetTable } from '../state/governance/validator-sets.ts'
import { decodeValue, stateKey } from '../state/table.ts'
import type { StateChange } from '../state/view.ts'
import type { ChainStore } from './chain-store.ts'
import type { Config } from './config.ts'
import { peersMax } from './limits.ts'
import type { Peer } from './world.ts'

/** A set that has this node's key. */
export interface OwnPlace {
  readonly epoch: Epoch
  readonly index: number
}

export interface Membership {
  /** Every set there was, and the scheduled one. */
  readonly epochs: () => readonly Epoch[]
  /** That governs the next block. */
  readonly set: () => ValidatorSet
  readonly scheduled: () => Epoch | undefined
  /** In the set that governs the next block. */
  readonly isValidator: () => boolean
  /** What other nodes call this one. */
  readonly ownName: () => string
  /** In the set in force or, if it is not in that, the scheduled one. */
  readonly ownPlace: () => OwnPlace | undefined
  /** The first height that a set with this key governs. */
  readonly ownSince: () => Height | undefined
  /** The last set that has had this key, when neither the one in force nor the scheduled one has. */
  readonly formerPlace: () => { readonly name: string; readonly until: Height } | undefined
  readonly peers: () => readonly Peer[]
  /** Peers that votes go to: of the set in force and the scheduled one. */
  readonly validatorNames: () => readonly string[]
  /** Peers without a vote now, who are told of every block. */
  readonly followerNames: () => readonly string[]
  /** The block is stored: the set that it scheduled, if it did, and whether peers are others than before. */
  readonly blockStored: (height: Height, changes: readonly StateChange[]) => { readonly scheduled: Epoch | undefined; readonly changed: boolean }
}

export interface MembershipContext {
  readonly config: Pick<Config, 'name' | 'p2p'>
  readonly genesis: Pick<Genesis, 'observers'>
  readonly publicKey: Uint8Array
  readonly store: Pick<ChainStore, 'head' | 'stateValue'>
}

type StateReader = Pick<ChainStore, 'stateValue'>

function readRow(store: StateReader, number: number): ValidatorSetRow {
  const encoded = store.stateValue(stateKey(validatorSetTable, [number]))
  if (encoded === undefined) throw new DongbaekError('store/damaged', 'the stored state has no validator set: move the data folder away and start again')
  return decodeValue(validatorSetTable, encoded)
}

/** Every validator set that the stored state has, ascending. Throws `store/damaged`. */
export function readSets(store: StateReader): readonly NumberedSet[] {
  const encoded = store.stateValue(stateKey(validatorSetLastTable, ['all']))
  const last = encoded === undefined ? 0 : decodeValue(validatorSetLastTable, encoded)
  return Array.from({ length: last + 1 }, (_, number) => ({ number, row: readRow(store, number) }))
}

function epochOf({ activation, validators, minimums }: ValidatorSetRow): Epoch {
  return { activation, set: { validators: validators.map(({ name, organisation, publicKey }) => ({ name, organisation, publicKey })), minimums } }
}

/** The sets and the heights from which they govern, as the replica and whoever checks certificates take them. Throws `store/damaged`. */
export function readEpochs(store: StateReader): readonly Epoch[] {
  return readSets(store).map(({ row }) => epochOf(row))
}

const setKeys = validatorSetTable.name

export function createMembership({ config, genesis, publicKey, store }: MembershipContext): Membership {
  let rows: readonly ValidatorSetRow[] = []
  let epochs: readonly Epoch[] = []
  /** Of the set that governs the next block, in `rows`. */
  let current = 0
  let peers: readonly Peer[] = []
  let validatorNames: readonly string[] = []
  let followerNames: readonly string[] = []

  const epochIn = (at: number): Epoch => epochs[at] as Epoch
  const refresh = (): void => {
    const next = store.head().height + 1
    rows = readSets(store).map(({ row }) => row)
    // the replica knows a set by identity, so those that are known stay the same objects
    epochs = rows.map((row, i) => epochs[i] ?? epochOf(row))
    current = rows.findLastIndex(({ activation }) => activation <= next)
    const named = peersOf({ rows, current, config, genesis, publicKey })
    peers = named.peers
    validatorNames = named.validators
    const voting = new Set(epochIn(current).set.validators.map(({ publicKey: key }) => toHex(key)))
    followerNames = peers.flatMap(({ name, publicKey: key }) => (voting.has(toHex(key)) ? [] : [name]))
  }
  refresh()

  const scheduled = (): Epoch | undefined => epochs[current + 1]
  const placeIn = (epoch: Epoch | undefined): OwnPlace | undefined => {
    const index = epoch === undefined ? undefined : indexOfKey(epoch.set, publicKey)
    return epoch === undefined || index === undefined ? undefined : { epoch, index }
  }
  const ownPlace = (): OwnPlace | undefined => placeIn(epochIn(current)) ?? placeIn(scheduled())

  return {
    epochs: () => epochs,
    set: () => epochIn(current).set,
    scheduled,
    isValidator: () => placeIn(epochIn(current)) !== undefined,
    ownName: () => {
      const place = placeIn(epochIn(current))
      return place?.epoch.set.validators[place.index]?.name ?? config.name
    },
    ownPlace,
    ownSince: () => epochs.find((epoch) => placeIn(epoch) !== undefined)?.activation,
    formerPlace: () => {
      if (ownPlace() !== undefined) return undefined
      const at = epochs.findLastIndex((epoch) => placeIn(epoch) !== undefined)
      const place = at < 0 ? undefined : placeIn(epochIn(at))
      const name = place?.epoch.set.validators[place.index]?.name
      return name === undefined ? undefined : { name, until: epochIn(at + 1).activation }
    },
    peers: () => peers,
    validatorNames: () => validatorNames,
    followerNames: () => followerNames,
    blockStored: (height, changes) => {
      const touched = changes.some(({ key }) => key.startsWith(setKeys))
      if (!touched && scheduled()?.activation !== height + 1) return { scheduled: undefined, changed: false }
      const known = epochs.length
      refresh()
      return { scheduled: epochs.length > known ? epochs.at(-1) : undefined, changed: true }
    },
  }
}

interface Naming extends Pick<MembershipContext, 'config' | 'genesis' | 'publicKey'> {
  readonly rows: readonly ValidatorSetRow[]
  readonly current: number
}

/** One peer a key, the weightiest reason to know it first. A name that is taken (the one whose key is replaced has it still) gets an addition that no validator's name can have. */
function peersOf({ rows, current, config, genesis, publicKey }: Naming): { readonly peers: readonly Peer[]; readonly validators: readonly string[] } {
  const byName = new Map<string, Peer>()
  const keys = new Set([toHex(publicKey)])
  const add = ({ name, publicKey: key, addresses }: Peer, addition: string): void => {
    const hex = toHex(key)
    if (keys.has(hex) || byName.size >= peersMax) return
    keys.add(hex)
    const as = byName.has(name) ? `${name}:${addition}` : name
    const given = config.p2p.addresses[as] ?? config.p2p.addresses[name]
    byName.set(as, { name: as, publicKey: key, addresses: given === undefined ? addresses.filter(isUsable) : [given] })
  }
  for (const one of rows[current]?.validators ?? []) add(one, 'again')
  for (const one of rows[current + 1]?.validators ?? []) add(one, 'next')
  const validators = [...byName.keys()]
  for (const one of [...genesis.observers, ...config.p2p.observers]) add(one, 'observer')
  for (const one of rows[current - 1]?.validators ?? []) add(one, 'former')
  return { peers: [...byName.values()], validators }
}

/** Governance may have agreed on an address that nobody can dial; that is the matter of one validator, not of every node's start. */
function isUsable(address: string): boolean {
  const at = address.lastIndexOf(':')
  const port = Number(address.slice(at + 1))
  const host = address.slice(0, at)
  if (port < 1 || port > 65_535) return false
  if (host.startsWith('[')) return isIP(host.slice(1, -1)) === 6
  return !/^[0-9.]+$/.test(host) || isIP(host) === 4
}

/** Throws `config/role` when the configuration and the sets of the chain contradict each other. */
export function checkRole({ name, role, keystore }: Pick<Config, 'name' | 'role' | 'keystore'>, store: Pick<ChainStore, 'stateValue'>, publicKey: Uint8Array): void {
  const founding = readRow(store, 0).validators.find((one) => equalBytes(one.publicKey, publicKey))
  const ever = readSets(store).some(({ row }) => row.validators.some((one) => equalBytes(one.publicKey, publicKey)))
  if (role === 'validator' && !ever) {
    throw new DongbaekError('config/role', `the key in ${keystore} is in no validator set known here: set role to observer (it votes by itself from the height on at which governance has added it), or name the keystore that the genesis lists`, { role })
  }
  if (role === 'observer' && founding !== undefined) throw new DongbaekError('config/role', `the key in ${keystore} is that of the validator ${founding.name} of the genesis: set role to validator, or make an observer a key of its own`, { role })
  if (founding !== undefined && founding.name !== name) throw new DongbaekError('config/role', `the key in ${keystore} is that of the validator ${founding.name} in genesis, and the configuration calls it ${name}: set name to ${founding.name}, or restore this node's own keystore`, { name })
}
