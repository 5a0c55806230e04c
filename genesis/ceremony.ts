// The ceremony: from a preset and everyone's public keys, the genesis. Nothing secret comes near it: each node and office makes its own key and
// hands in the public part as a card. The same cards give the same genesis, so that every operator can build it again and compare the hash.
import type { Did, TimeMs } from '../primitives/brand.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { alternateOrganisations } from '../primitives/turns.ts'
import type { GovernanceGenesis } from '../state/governance/types.ts'
import type { DidGenesis } from '../state/did/genesis.ts'
import { type DidKey, didOf, relationshipNames } from '../state/did/types.ts'
import { families } from '../state/families.ts'
import type { PointsGenesis } from '../state/points/types.ts'
import type { ReservationGenesis } from '../state/reservation/types.ts'
import { multikeyOf } from '../state/transaction.ts'
import type { NodeCard, OfficeCard } from './card.ts'
import { type Genesis, genesisVersion, type GenesisValidator, type StateSections } from './genesis.ts'
import { communityOf } from './presets/boards.ts'
import type { Preset } from './presets/preset.ts'

export interface Participants {
  /** Of the network. */
  readonly name: string
  readonly timeMs: number
  /** Those with an organisation are validators. */
  readonly nodes: readonly NodeCard[]
  readonly offices: readonly OfficeCard[]
  /** Instead of the preset's. */
  readonly minimums?: Genesis['minimums']
}

/** The first key of an office or person, as a wallet makes it: for everything but encryption. */
export function firstKey(publicKey: Uint8Array): DidKey {
  return { key: multikeyOf(publicKey), relationships: relationshipNames.filter((name) => name !== 'keyAgreement') }
}

/** The DID that an office has by its card. */
export function officeDid(publicKey: Uint8Array): Did {
  return didOf([firstKey(publicKey)])
}

/** Throws `genesis/office-…` when the cards and the preset's offices do not match. checkGenesis looks at the rest. */
export function buildGenesis(preset: Preset, participants: Participants): Genesis {
  const { name, timeMs, nodes, offices, minimums = preset.minimums } = participants
  return {
    version: genesisVersion,
    name,
    timeMs: timeMs as TimeMs,
    validators: inTurn(preset, nodes.flatMap(({ organisation, ...node }) => (organisation === undefined ? [] : [{ ...node, organisation }]))),
    minimums,
    observers: nodes.filter(({ organisation }) => organisation === undefined).map(({ name, publicKey, addresses }) => ({ name, publicKey, addresses })),
    consensus: preset.consensus,
    state: sections(preset, offices),
  }
}

/** In an order that the cards alone decide: organisations as the preset lists them, names from short to long and by the alphabet (node-2 before node-10). */
function inTurn(preset: Preset, validators: readonly GenesisValidator[]): readonly GenesisValidator[] {
  const rank = (organisation: string): number => {
    const at = preset.organisations.findIndex(({ id }) => id === organisation)
    return at < 0 ? preset.organisations.length : at
  }
  const sorted = [...validators].sort((a, b) => rank(a.organisation) - rank(b.organisation) || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
  // consecutive primaries belong to different organisations
  return alternateOrganisations(sorted)
}

function sections(preset: Preset, cards: readonly OfficeCard[]): StateSections {
  const keyOf = officeKeys(preset, cards)
  const dids = preset.offices.map(({ id }) => officeDid(keyOf(id)))
  const governance: GovernanceGenesis = {
    parameters: preset.parameters,
    organisations: preset.organisations.map(({ id, title }) => ({ name: id, title: title.ko })),
    roles: preset.offices.flatMap(({ roles }, i) => roles.map(({ role, scope }) => ({ did: dids[i] as Did, role, scope }))),
  }
  const did: DidGenesis = { dids: preset.offices.map(({ id }, i) => ({ did: dids[i] as Did, keys: [firstKey(keyOf(id))], services: [] })) }
  const points: PointsGenesis = { merchants: preset.offices.flatMap(({ merchant }, i) => (merchant === undefined ? [] : [{ did: dids[i] as Did, ...merchant }])) }
  const reservation: ReservationGenesis = { livingAreas: preset.livingAreas, facilities: preset.facilities }
  const all: StateSections = { governance, did, points, reservation, community: communityOf(preset.livingAreas) }
  return Object.fromEntries(families.flatMap(({ name, genesis }) => (genesis === undefined ? [] : [[name, all[name]] as const])))
}

function officeKeys(preset: Preset, cards: readonly OfficeCard[]): (office: string) => Uint8Array {
  const keys = new Map<string, Uint8Array>()
  for (const { office, publicKey } of cards) {
    if (!preset.offices.some(({ id }) => id === office)) throw new DongbaekError('genesis/office-unknown', `the preset ${preset.name} has no office ${office}. Known are ${preset.offices.map(({ id }) => id).join(', ')}`, { office })
    if (keys.has(office)) throw new DongbaekError('genesis/office-twice', `there are two cards for the office ${office}. Keep the right one`, { office })
    keys.set(office, publicKey)
  }
  const missing = preset.offices.filter(({ id }) => !keys.has(id)).map(({ id }) => id)
  if (missing.length > 0) throw new DongbaekError('genesis/office-missing', `no card for ${missing.join(', ')}. Ask each office for one ("dongbaek keys create", "dongbaek keys card")`, { missing: missing.join(', ') })
  return (office) => keys.get(office) as Uint8Array
}
