// The genesis: what every node of one network begins from. A readable JSON file under one strict schema; its hash is over the canonical
// encoding of what it says, so spacing and the order of keys in the file do not matter. The hash names the chain and is the parent of block 1.
import type { BlockRef } from '../consensus/block.ts'
import { windowMax } from '../consensus/limits.ts'
import { minimum, type ValidatorSet } from '../consensus/validators.ts'
import type { Hash, Height } from '../primitives/brand.ts'
import { toHex } from '../primitives/bytes.ts'
import { encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { taggedHash } from '../primitives/hash.ts'
import { blockBytesMax, blockTransactionsMax, transactionBytesMax, validatorsMax } from '../primitives/limits.ts'
import { bytes, type Infer, integer, type Json, type JsonObject, list, record, refine, type Schema, slug, timeMs } from '../primitives/schema.ts'
import { families } from '../state/families.ts'
import type { GovernanceGenesis } from '../state/governance/types.ts'
import type { GovernanceSection } from '../state/governance/genesis.ts'
import { address, addressesMax } from '../state/governance/validator-sets.ts'
import type { BlockInfo } from '../state/family.ts'

export const genesisVersion = 1
/** Facilities, merchants and living areas of a city come to some hundred kilobytes. */
export const genesisTextMax = 16 * 1_048_576
/** The chain id adds a hyphen and 16 hex digits, and is a slug of at most 64 itself. */
const nameMax = 47
const observersMax = 256
const minuteMs = 60_000

const publicKey = bytes(32, 32)
const addresses = list(address, 0, addressesMax)

export const genesisValidator = record({ name: slug, organisation: slug, publicKey, addresses })
export type GenesisValidator = Infer<typeof genesisValidator>
/** Nodes that follow and answer reads without a vote. Validators let them connect. */
export const genesisObserver = record({ name: slug, publicKey, addresses })
export type GenesisObserver = Infer<typeof genesisObserver>

export const genesisConsensus = record({
  /** Slots open above the last stable checkpoint. */
  window: integer(2, windowMax),
  /** Blocks that a primary may have proposed and not seen committed. */
  pipelineDepth: integer(1, windowMax),
  checkpointInterval: integer(1, windowMax),
  viewTimeoutMs: integer(50, 10 * minuteMs),
  viewTimeoutMaxMs: integer(50, 10 * minuteMs),
  retransmitMs: integer(10, minuteMs),
  heartbeatMs: integer(100, minuteMs),
  checkpointIdleMs: integer(10, minuteMs),
  /** How far ahead of a validator's own clock a block's time may lie. */
  maxClockDriftMs: integer(100, 10 * minuteMs),
  /** How long a validator lets blocks go by without a transaction that it holds before it suspects the primary. */
  inclusionTimeoutMs: integer(100, 10 * minuteMs),
  transactionsMax: integer(1, blockTransactionsMax),
  bytesMax: integer(transactionBytesMax, blockBytesMax),
})
export type GenesisConsensus = Infer<typeof genesisConsensus>

/** The part of each family that has one, by its name. */
export type StateSections = Readonly<Record<string, unknown>>
const sectionSchemas = Object.fromEntries(families.flatMap(({ name, genesis }) => (genesis === undefined ? [] : [[name, genesis.schema]] as const)))
const stateSections = record(sectionSchemas) as unknown as Schema<StateSections>

const name = refine(slug, (value) => (value.length <= nameMax ? undefined : `a name of at most ${nameMax} characters`))

export const genesisSchema = record({
  version: integer(genesisVersion, genesisVersion),
  /** Of the network, such as busan or dongbaek-devnet. */
  name,
  /** The time of height 0. */
  timeMs,
  /** In the order in which they are primary. */
  validators: list(genesisValidator, 1, validatorsMax),
  minimums: list(minimum, 0, validatorsMax),
  observers: list(genesisObserver, 0, observersMax),
  consensus: genesisConsensus,
  state: stateSections,
})
export type Genesis = Infer<typeof genesisSchema>

// a genesis may hold thousands of facilities, and its hash is asked for wherever the chain is named
const hashes = new WeakMap<Genesis, Hash>()

export function genesisHash(genesis: Genesis): Hash {
  const known = hashes.get(genesis) ?? taggedHash('genesis', encode(genesisSchema, genesis))
  hashes.set(genesis, known)
  return known
}

/** `<name>-<first 16 hex digits of the hash>`. */
export function chainIdOf(genesis: Genesis): string {
  return `${genesis.name}-${toHex(genesisHash(genesis)).slice(0, 16)}`
}

/** The genesis as block 0. */
export function genesisRef(genesis: Genesis): BlockRef {
  return { height: 0 as Height, hash: genesisHash(genesis), timeMs: genesis.timeMs }
}

export function genesisBlock(genesis: Genesis): BlockInfo {
  return { chain: chainIdOf(genesis), height: 0 as Height, timeMs: genesis.timeMs }
}

/** The set that governs from height 1. */
export function validatorSetOf({ validators, minimums }: Pick<Genesis, 'validators' | 'minimums'>): ValidatorSet {
  return { validators: validators.map(({ name, organisation, publicKey }) => ({ name, organisation, publicKey })), minimums }
}

/** For executeGenesis. The founding validators are part of what governance changes, so they are in the state from the beginning. */
export function sectionsOf({ validators, minimums, consensus, state }: Genesis): ReadonlyMap<string, unknown> {
  const governance: GovernanceSection = { ...(state['governance'] as GovernanceGenesis), founding: { validators, minimums, window: consensus.window } }
  return new Map(Object.entries({ ...state, governance }))
}

/** Reads the file's text by its schema; what it means is left to checkGenesis. Throws `genesis/not-json` or `genesis/invalid`, naming the field. */
export function readGenesis(text: string): Genesis {
  if (text.length > genesisTextMax) throw new DongbaekError('genesis/invalid', `the genesis has ${text.length} characters where at most ${genesisTextMax} are allowed. Is it the right file?`)
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch (cause) {
    throw new DongbaekError('genesis/not-json', `the genesis is not JSON (${(cause as Error).message}). Copy the file again from whoever made it, and compare the hash`, {}, { cause })
  }
  return genesisFromJson(json)
}

export function genesisFromJson(json: Json): Genesis {
  const version = typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject)['version'] : undefined
  if (typeof version === 'number' && version !== genesisVersion) {
    throw new DongbaekError('genesis/version', `the genesis has version ${version} and this program reads ${genesisVersion}. Use the release that the network runs`, { version })
  }
  try {
    const genesis = genesisSchema.fromJson(json, '')
    // bounds that only the wire form has (a chain id, a nested list) show here, before any node starts on it
    encode(genesisSchema, genesis)
    return genesis
  } catch (cause) {
    if (!(cause instanceof DongbaekError)) throw cause
    throw new DongbaekError('genesis/invalid', `the genesis is not valid. ${cause.message}. Correct that field, then compare the hash with the other operators`, cause.data, { cause })
  }
}

export function genesisToJson(genesis: Genesis): JsonObject {
  return genesisSchema.toJson(genesis) as JsonObject
}

/** The file's text. */
export function writeGenesis(genesis: Genesis): string {
  return `${JSON.stringify(genesisToJson(genesis), undefined, 2)}\n`
}

/** A failed rule of checkGenesis. */
export function genesisError(code: string, field: string, message: string): DongbaekError {
  return new DongbaekError(`genesis/${code}`, `${field}: ${message}`, { field })
}
