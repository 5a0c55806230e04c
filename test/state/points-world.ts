// A small city over the real execution, for the tests of points: its state in a map, its people with DIDs and roles put in directly.
import type { Did, Hash, Height, TimeMs, Won } from '../../primitives/brand.ts'
import { encode } from '../../primitives/codec.ts'
import { keyPairFromSeed, sign, type KeyPair } from '../../primitives/ed25519.ts'
import { sha256, zeroHash } from '../../primitives/hash.ts'
import { utf8 } from '../../primitives/bytes.ts'
import type { Json, Schema } from '../../primitives/schema.ts'
import { type Attestation, signAttestation } from '../../state/credential/attestation.ts'
import { createDid, replaceDid } from '../../state/did/documents.ts'
import { didOf, type DidKey } from '../../state/did/types.ts'
import { executeBlock, type State } from '../../state/execute.ts'
import { kinds, readyTransaction } from '../../state/families.ts'
import type { BlockInfo, Event } from '../../state/family.ts'
import { putSet } from '../../state/governance/validator-sets.ts'
import { writeParameters } from '../../state/parameters.ts'
import { pointsFamily } from '../../state/points/family.ts'
import { testFounding } from '../support/state-harness.ts'
import type { ProgramTerms } from '../../state/points/types.ts'
import type { Query } from '../../state/query.ts'
import type { Receipt } from '../../state/receipt.ts'
import { grantRole, type RoleName } from '../../state/roles.ts'
import { createSeenIds } from '../../state/seen.ts'
import { decodeValue, keyParts, type Table } from '../../state/table.ts'
import { decodeTransaction, encodeBody, encodeTransaction, multikeyOf } from '../../state/transaction.ts'
import { createStateTree } from '../../state/tree.ts'
import { createOverlay, createQueryView, createValueCache, type Overlay, type QuerySource } from '../../state/view.ts'

export const chain = 'busan-0123456789abcdef'
export const dayMs = 86_400_000
/** 9 in the morning in Korea. */
export const startMs = (20_000 * dayMs) as TimeMs

export interface Person {
  readonly did: Did
  readonly key: Uint8Array
  readonly pair: KeyPair
}

export interface Order {
  readonly sender: Person
  readonly kind: string
  readonly payload: unknown
  readonly cosigners?: readonly Person[]
}

export function person(name: string): Person {
  const pair = keyPairFromSeed(sha256(utf8(name)))
  const key = multikeyOf(pair.publicKey)
  return { pair, key, did: didOf([didKeyOf(key)]) }
}

function didKeyOf(key: Uint8Array): DidKey {
  return { key, relationships: ['authentication', 'assertionMethod'] }
}

export function pseudonymOf(name: string): Uint8Array {
  return sha256(utf8(`pseudonym of ${name}`))
}

export function attest(issuer: Person, program: string, subject: Did, tier: string, pseudonym: Uint8Array, changes: Partial<Attestation> = {}): Attestation {
  const statement = { issuer: issuer.did, key: issuer.key, purpose: `points:${program}`, subject, claim: tier, pseudonym, expiresMs: (startMs + 1_000 * dayMs) as TimeMs, ...changes }
  return signAttestation(chain, statement, (message) => sign(message, issuer.pair))
}

/** Terms that are open from the start: applications for ten days, use for twenty. */
export function terms(changes: Partial<ProgramTerms> = {}): ProgramTerms {
  return {
    kind: 'points',
    title: '다자녀 교육지원포인트',
    tiers: [
      { tier: 'two', amount: 300_000 as Won },
      { tier: 'three', amount: 500_000 as Won },
    ],
    applicationOpensMs: startMs,
    applicationClosesMs: (startMs + 10 * dayMs) as TimeMs,
    useOpensMs: startMs,
    useClosesMs: (startMs + 20 * dayMs) as TimeMs,
    categories: ['bookshop', 'theatre'],
    decide: 'automatic',
    leftover: 'reclaimed',
    ...changes,
  }
}

export function pass(changes: Partial<ProgramTerms> = {}): ProgramTerms {
  return terms({ kind: 'pass', title: '청년 문화패스', tiers: [{ tier: 'youth', amount: 100_000 as Won }], ownShare: 10_000 as Won, categories: ['theatre'], ...changes })
}

export interface World {
  nowMs: TimeMs
  height: number
  readonly rows: Map<string, Uint8Array>
  /** Every event of every block so far. */
  readonly events: Event[]
  readonly setUp: (write: (view: Overlay, block: BlockInfo) => void) => void
  readonly register: (...people: readonly Person[]) => void
  readonly deactivate: (who: Person) => void
  readonly give: (who: Person, role: RoleName, scope: string) => void
  /** One block; its receipts in order. */
  readonly block: (...orders: readonly Order[]) => readonly Receipt[]
  /** A block with one transaction. */
  readonly send: (sender: Person, kind: string, payload: unknown, ...cosigners: readonly Person[]) => Receipt
  readonly table: <T>(table: Table<T>) => readonly { readonly key: readonly string[]; readonly value: T }[]
  readonly ask: (method: string, params: Json) => Promise<unknown>
  /** Keys changed by the last block, the block's own record left out. */
  changed: readonly string[]
}

export function createWorld(): World {
  const rows = new Map<string, Uint8Array>()
  const pages = new Map<string, Uint8Array>()
  const state: State = {
    source: { get: (key) => rows.get(key) },
    cache: createValueCache(100_000),
    tree: createStateTree((path) => pages.get(path), 100_000),
    seen: createSeenIds(),
  }
  let salts = 0

  const ready = ({ sender, kind, payload, cosigners = [] }: Order) => {
    const definition = kinds.get(kind)
    if (definition === undefined) throw new Error(`no kind ${kind}`)
    const salt = new Uint8Array(16)
    new DataView(salt.buffer).setUint32(0, ++salts)
    const signers = [sender, ...[...cosigners].sort((a, b) => (a.did < b.did ? -1 : 1))].map(({ did, key }) => ({ did, key }))
    const body = encodeBody({
      version: 1,
      chain,
      kind,
      signers,
      validUntilMs: (world.nowMs + 60_000) as TimeMs,
      salt,
      payload: encode(definition.payload as unknown as Schema<unknown>, payload),
    })
    // signatures are judged before execution, so none is made here
    return readyTransaction(decodeTransaction(encodeTransaction(body, signers.map(() => new Uint8Array(64)))))
  }
  const take = (changes: readonly { readonly key: string; readonly value: Uint8Array | undefined }[]): void => {
    for (const { key, value } of changes) {
      if (value === undefined) rows.delete(key)
      else rows.set(key, value)
    }
  }
  const source = (): QuerySource => {
    const sorted = [...rows.keys()].sort()
    return {
      get: (key) => rows.get(key),
      scan: async (prefix, after, limit) =>
        sorted
          .filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
          .slice(0, limit)
          .map((key) => [key, rows.get(key) as Uint8Array] as const),
    }
  }
  const info = (): BlockInfo => ({ chain, height: world.height as Height, timeMs: world.nowMs })

  const world: World = {
    nowMs: startMs,
    height: 0,
    rows,
    events: [],
    changed: [],
    setUp: (write) => {
      const overlay = createOverlay(state.source, state.cache)
      write(overlay, info())
      take(overlay.changes())
      overlay.retain()
    },
    register: (...people) => world.setUp((view, block) => people.forEach(({ did, key }) => createDid(view, block, did, { keys: [didKeyOf(key)], services: [] }))),
    deactivate: ({ did }) => world.setUp((view, block) => replaceDid(view, block, did, { keys: [], services: [], deactivated: true })),
    give: (who, role, scope) => world.setUp((view) => grantRole(view, who.did, role, scope, { grantedAtHeight: 0 as Height })),
    block: (...orders) => {
      world.height++
      const executed = executeBlock(state, { chain, height: world.height as Height, hash: zeroHash as Hash, timeMs: world.nowMs, transactions: orders.map(ready) })
      take(executed.changes)
      for (const { path, page } of executed.pages) {
        if (page === undefined) pages.delete(path)
        else pages.set(path, page)
      }
      world.changed = executed.changes.map(({ key }) => key).filter((key) => !key.startsWith('chain.block/'))
      world.events.push(...executed.outcome.events, ...executed.receipts.flatMap((receipt) => receipt.events))
      return executed.receipts
    },
    send: (sender, kind, payload, ...cosigners) => world.block({ sender, kind, payload, cosigners })[0] as Receipt,
    table: (table) => [...rows].filter(([key]) => key.startsWith(`${table.name}/`)).map(([key, value]) => ({ key: keyParts(key), value: decodeValue(table, value) })),
    ask: async (method, params) => {
      const found = pointsFamily.queries.find((each) => each.method === method) as Query<unknown, unknown> | undefined
      if (found === undefined) throw new Error(`no query ${method}`)
      const result = await found.run(createQueryView(source()), found.params.fromJson(params, ''), info())
      return result === undefined ? undefined : found.result.toJson(result)
    },
  }
  world.setUp((view) => {
    writeParameters(view, { transactionValidityMsMax: 3_600_000, recoveryWaitMs: 86_400_000 })
    putSet(view, 0, { activation: 1 as Height, scheduledAtHeight: 0 as Height, ...testFounding })
  })
  return world
}

