// The simulated city: its validators, officers and citizens, the genesis they begin from, and the transactions they make. Everything that costs time and does
// not depend on the seed is made once a process.
import { createMemoryStore } from '../../support/memory-store.ts'
import { smallPreset } from '../../support/genesis.ts'
import { buildGenesis, firstKey, officeDid } from '../../../genesis/ceremony.ts'
import { chainIdOf, type Genesis } from '../../../genesis/genesis.ts'
import { silentLog } from '../../../node/log.ts'
import { openChain } from '../../../node/open-chain.ts'
import type { Signer } from '../../../node/world.ts'
import type { Did, TimeMs } from '../../../primitives/brand.ts'
import { concatBytes, equalBytes, toHex, utf8 } from '../../../primitives/bytes.ts'
import { encode } from '../../../primitives/codec.ts'
import { keyPairFromSeed, sign } from '../../../primitives/ed25519.ts'
import { sha256 } from '../../../primitives/hash.ts'
import { type SignedItem, verifySigned } from '../../../primitives/signature.ts'
import { type Attestation, signAttestation } from '../../../state/credential/attestation.ts'
import { readyTransaction, type ReadyTransaction } from '../../../state/families.ts'
import type { Kind } from '../../../state/family.ts'
import { decodeTransaction, encodeBody, encodeTransaction, multikeyOf, transactionSignedBytes } from '../../../state/transaction.ts'
import { epochMs } from './clock.ts'
import { keyOf } from './store.ts'

export const dayMs = 86_400_000
export const citizens: readonly string[] = Array.from({ length: 10 }, (_, i) => `citizen-${i + 1}`)
export const program = 'education'
export const slot = 'reading-hour'
export const slotCapacity = 3
export const facility = 'bosu-library'

const secretOf = (name: string): Uint8Array => sha256(utf8(`simulated ${name}`))

export interface Actor extends Signer {
  readonly name: string
  readonly did: Did
  readonly multikey: Uint8Array
  /** By Ed25519, whatever the run's signatures are: for what the state itself checks. */
  readonly signReally: (message: Uint8Array) => Uint8Array
}

/** Keys by name. The cheap signature is a keyed hash that only this file can check, so that a run spends its time on schedules. */
export interface Keys {
  readonly of: (name: string) => Actor
  readonly verify: (item: SignedItem) => boolean
}

function createKeys(real: boolean): Keys {
  const actors = new Map<string, Actor>()
  const secrets = new Map<string, Uint8Array>()
  const mac = (secret: Uint8Array, message: Uint8Array): Uint8Array => {
    const half = sha256(concatBytes(secret, message))
    return concatBytes(half, half)
  }
  const make = (name: string): Actor => {
    const secret = secretOf(name)
    const pair = keyPairFromSeed(secret)
    const { publicKey } = pair
    secrets.set(toHex(publicKey), secret)
    const signReally = (message: Uint8Array): Uint8Array => sign(message, pair)
    return { name, publicKey, did: officeDid(publicKey), multikey: multikeyOf(publicKey), signReally, sign: real ? signReally : (message) => mac(secret, message) }
  }
  return {
    of: (name) => {
      const known = actors.get(name) ?? make(name)
      actors.set(name, known)
      return known
    },
    verify: real
      ? verifySigned
      : ({ publicKey, message, signature }) => {
          const secret = secrets.get(toHex(publicKey))
          return secret !== undefined && equalBytes(signature, mac(secret, message))
        },
  }
}

const keyrings = { real: createKeys(true), cheap: createKeys(false) }

export function keysOf(real: boolean): Keys {
  return real ? keyrings.real : keyrings.cheap
}

/** How the networks differ. */
export interface Terms {
  readonly validators: number
  readonly observers: number
  readonly viewTimeoutMs: number
  readonly checkpointInterval: number
  readonly pipelineDepth: number
  readonly transactionsMax: number
  /** The set is to change: a short window brings it about in few blocks. */
  readonly changesSets: boolean
  /** Each organisation's minimum is two thirds of it, instead of one. */
  readonly strict: boolean
}

export interface City {
  readonly genesis: Genesis
  readonly chainId: string
  /** Names of the validators, in the order in which they are primary. */
  readonly names: readonly string[]
  readonly observers: readonly string[]
  /** What a store holds before the first block. */
  readonly rows: ReadonlyMap<string, Uint8Array>
}

const cities = new Map<string, Promise<City>>()

export async function cityOf(terms: Terms): Promise<City> {
  const key = JSON.stringify(terms)
  const city = cities.get(key) ?? foundCity(terms)
  cities.set(key, city)
  return city
}

async function foundCity({ validators, observers, viewTimeoutMs, checkpointInterval, pipelineDepth, transactionsMax, changesSets, strict }: Terms): Promise<City> {
  const keys = keysOf(false)
  const preset = {
    ...smallPreset,
    consensus: {
      ...smallPreset.consensus,
      window: Math.max(changesSets ? 4 : 8, 2 * checkpointInterval),
      pipelineDepth,
      checkpointInterval,
      viewTimeoutMs,
      viewTimeoutMaxMs: 8 * viewTimeoutMs,
      retransmitMs: Math.floor(viewTimeoutMs / 3),
      heartbeatMs: 1_500,
      checkpointIdleMs: 100,
      maxClockDriftMs: 500,
      inclusionTimeoutMs: 3_000,
      transactionsMax,
    },
    offices: [...smallPreset.offices, ...citizens.map((id) => ({ id, title: { ko: '시민', en: 'citizen' }, roles: [] }))],
  }
  const cards = Array.from({ length: validators }, (_, i) => {
    const organisation = i % 2 === 0 ? 'busan' : 'bnk'
    const name = `${i % 2 === 0 ? 'city' : 'bank'}-${Math.floor(i / 2) + 1}`
    return { name, organisation, publicKey: keys.of(name).publicKey, addresses: [`127.0.0.1:${20_000 + i}`] }
  })
  const watching = Array.from({ length: observers }, (_, i) => ({ name: `map-${i + 1}`, publicKey: keys.of(`map-${i + 1}`).publicKey, addresses: [] }))
  const organisations = ['busan', 'bnk'].filter((id) => cards.some(({ organisation }) => organisation === id))
  const genesis = buildGenesis(preset, {
    name: 'simulated',
    timeMs: epochMs - 1_000,
    nodes: [...cards, ...watching],
    offices: preset.offices.map(({ id }) => ({ office: id, publicKey: keys.of(id).publicKey })),
    minimums: organisations.map((organisation) => ({ organisation, minimum: strict ? Math.floor((2 * cards.filter((card) => card.organisation === organisation).length) / 3) + 1 : 1 })),
  })
  const store = createMemoryStore()
  await openChain(store, genesis, 1, silentLog)
  const rows = new Map((await store.page({ limit: 10_000 })).map(({ key, value }) => [keyOf(key), value]))
  return { genesis, chainId: chainIdOf(genesis), names: genesis.validators.map(({ name }) => name), observers: watching.map(({ name }) => name), rows }
}

export interface Order<P> {
  readonly kind: Kind<P>
  readonly sender: Actor
  readonly payload: P
  readonly cosigner?: Actor
  readonly validUntilMs: number
  /** Two orders that differ in nothing else have two ids. */
  readonly number: number
}

export function envelopeOf<P>(chain: string, { kind, sender, payload, cosigner, validUntilMs, number }: Order<P>): ReadyTransaction {
  const salt = new Uint8Array(16)
  new DataView(salt.buffer).setUint32(0, number)
  const signers = cosigner === undefined ? [sender] : [sender, cosigner]
  const body = encodeBody({ version: 1, chain, kind: kind.kind, signers: signers.map(({ did, multikey }) => ({ did, key: multikey })), validUntilMs: Math.floor(validUntilMs) as TimeMs, salt, payload: encode(kind.payload, payload) })
  const message = transactionSignedBytes(body)
  return readyTransaction(decodeTransaction(encodeTransaction(body, signers.map((actor) => actor.sign(message)))))
}

export function attestationOf(chain: string, issuer: Actor, subject: Did, person: string): Attestation {
  const statement = { issuer: issuer.did, key: issuer.multikey, purpose: `points:${program}`, subject, claim: 'two', pseudonym: sha256(utf8(`person ${person}`)), expiresMs: (epochMs + 30 * dayMs) as TimeMs }
  return signAttestation(chain, statement, issuer.signReally)
}

export { firstKey }
