// The state of a chain in memory, for tests of rules: real genesis, real envelopes (encoded, signed, decoded), real executeBlock.
//   const chain = createHarness({ genesis: { did: { dids: [officer.entry] }, governance: { … }, points: { … } } })
//   const receipt = chain.run(registerKind, citizen, payload, { cosigners: [registrar] })
//   chain.advance(60_000); chain.execute(tx1, tx2); chain.query(resolveQuery, { did }); chain.root()
import type { Did, Hash, Height, TimeMs } from '../../primitives/brand.ts'
import { compareBytes } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { assert } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { keyPairFromSecret, sign as signP256 } from '../../primitives/p256.ts'
import type { Json, JsonObject, Schema } from '../../primitives/schema.ts'
import { verifySigned } from '../../primitives/signature.ts'
import { signAttestation, type UnsignedAttestation, type Attestation } from '../../state/credential/attestation.ts'
import { type DidKey, didOf, type Relationship } from '../../state/did/types.ts'
import type { DidGenesis } from '../../state/did/genesis.ts'
import { type ExecutableBlock, type Executed, executeBlock, executeGenesis, executeInSteps, simulateTransaction, type State } from '../../state/execute.ts'
import { families, readyTransaction, type ReadyTransaction } from '../../state/families.ts'
import type { BlockInfo, Event, Kind } from '../../state/family.ts'
import type { GovernanceSection } from '../../state/governance/genesis.ts'
import type { GovernanceGenesis } from '../../state/governance/types.ts'
import { keyHashOf, verifyStateProof } from '../../state/proof.ts'
import type { Query } from '../../state/query.ts'
import type { Receipt } from '../../state/receipt.ts'
import type { RoleName } from '../../state/roles.ts'
import { createSeenIds, type RanBlock, recallIds } from '../../state/seen.ts'
import { encodeBody, encodeTransaction, decodeTransaction, multikeyOf, signatureChecks, transactionSignedBytes } from '../../state/transaction.ts'
import { createStateTree, type PageWrite } from '../../state/tree.ts'
import { createOverlay, createQueryView, createValueCache, type QuerySource, type ReadView, type StateChange } from '../../state/view.ts'

export interface TestKey {
  readonly multikey: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** The same name gives the same key. */
export function testKey(name: string): TestKey {
  const pair = keyPairFromSeed(taggedHash('test-key', new TextEncoder().encode(name)))
  return { multikey: multikeyOf(pair.publicKey), sign: (message) => sign(message, pair) }
}

/** A key of P-256, as phones keep it; the same name gives the same. */
export function testPhone(name: string): TestKey {
  const pair = keyPairFromSecret(taggedHash('test-phone', new TextEncoder().encode(name)))
  return { multikey: multikeyOf(pair.publicKey, 'p256'), sign: (message) => signP256(message, pair) }
}

/** A DID and the key it signs with. */
export interface TestActor extends TestKey {
  readonly did: Did
  readonly keys: readonly DidKey[]
  /** For the section `did` of a genesis. */
  readonly entry: DidGenesis['dids'][number]
}

/** The same name gives the same DID, with one key for authentication and assertions. */
export function testActor(name: string, relationships: readonly Relationship[] = ['authentication', 'assertionMethod']): TestActor {
  return actorWith(testKey(name), relationships)
}

/** The DID that this one key makes. */
export function actorWith(key: TestKey, relationships: readonly Relationship[] = ['authentication', 'assertionMethod']): TestActor {
  const keys = [{ key: key.multikey, relationships }]
  const did = didOf(keys)
  return { ...key, did, keys, entry: { did, keys, services: [] } }
}

/** The actor, signing with another of its keys. */
export function withKey(actor: TestActor, key: TestKey): TestActor {
  return { ...actor, multikey: key.multikey, sign: key.sign }
}

export const testGovernors = { city: testActor('governor of the city'), bank: testActor('governor of the bank') }
export const testRegistrar = testActor('registrar')
export const testIssuer = testActor('issuer')
/** What every harness begins with: two validators of each organisation, and a window of 4. */
export const testFounding: GovernanceSection['founding'] = {
  validators: ['city', 'bank', 'city', 'bank'].map((organisation, i) => ({ name: `validator-${i}`, organisation, publicKey: testKey(`validator ${i}`).multikey.slice(-32), addresses: [`10.0.0.${i}:26600`] })),
  minimums: [
    { organisation: 'city', minimum: 1 },
    { organisation: 'bank', minimum: 1 },
  ],
  window: 4,
}
export const genesisTimeMs = 1_780_000_000_000 as TimeMs

export interface HarnessOptions {
  /**
   * Sections of the genesis by family. Those left out begin as small as their schema allows. A section `governance` left out has the organisations
   * city and bank with one governor each; whatever is given, testGovernors, testRegistrar and testIssuer (scope *) have their DIDs and roles too,
   * `roles` and `actors` come on top.
   */
  readonly genesis?: { readonly [family: string]: unknown }
  readonly actors?: readonly TestActor[]
  readonly roles?: readonly (readonly [holder: TestActor, role: RoleName, scope: string])[]
  /** Blocks are executed with a pause after so many transactions; without it in one go. */
  readonly stepTransactions?: number
}

export interface MakeOptions {
  readonly cosigners?: readonly TestActor[]
  readonly validUntilMs?: number
  readonly chain?: string
  /** Two transactions with the same content and salt have the same id; by default each is new. */
  readonly salt?: Uint8Array
}

export interface Harness {
  readonly chain: string
  /** The block that the next execution makes: its time is the harness's now. */
  readonly next: () => BlockInfo
  readonly advance: (ms: number) => void
  /** Encodes, signs and decodes again. */
  readonly make: <P>(kind: Kind<P>, sender: TestActor, payload: NoInfer<P>, options?: MakeOptions) => ReadyTransaction
  /** One block of these transactions. */
  readonly execute: (...transactions: readonly ReadyTransaction[]) => Executed
  /** One block of one transaction: its receipt. */
  readonly run: <P>(kind: Kind<P>, sender: TestActor, payload: NoInfer<P>, options?: MakeOptions) => Receipt
  readonly simulate: (transaction: ReadyTransaction) => Receipt
  /** As after a restart of the node: from what is stored, with nothing remembered but what the blocks tell. */
  readonly restart: () => void
  readonly query: <P, R>(query: Query<P, R>, params: P) => Promise<R | undefined>
  readonly view: () => ReadView
  readonly root: () => Hash
  /** Committed keys with their encoded values, in key order. */
  readonly entries: () => readonly (readonly [string, Uint8Array])[]
  /** The encoded value with a checked proof. */
  readonly prove: (key: string) => Uint8Array | undefined
  readonly attest: (issuer: TestActor, statement: Omit<UnsignedAttestation, 'issuer' | 'key'>) => Attestation
}

const chain = 'test-0123456789abcdef'

function executeWith(state: State, block: ExecutableBlock, stepTransactions: number | undefined): Executed {
  if (stepTransactions === undefined) return executeBlock(state, block)
  const run = executeInSteps(state, block, stepTransactions)
  for (;;) {
    const step = run.next()
    if (step.done === true) return step.value
  }
}

export function createHarness(options: HarnessOptions = {}): Harness {
  const store = new Map<string, Uint8Array>()
  const pages = new Map<string, Uint8Array>()
  let sorted: readonly string[] | undefined
  const source: QuerySource = {
    get: (key) => store.get(key),
    scan: (prefix, after, limit) => {
      sorted ??= [...store.keys()].sort()
      const found = sorted.filter((key) => key.startsWith(prefix) && (after === undefined || key > after)).slice(0, limit)
      return Promise.resolve(found.map((key) => [key, store.get(key) as Uint8Array] as const))
    },
  }
  const blocks: RanBlock[] = []
  const fresh = (): State => ({ source, cache: createValueCache(10_000), tree: createStateTree((path) => pages.get(path), 1_000), seen: createSeenIds() })
  let state = fresh()
  const commit = ({ changes, pages: writes }: { readonly changes: readonly StateChange[]; readonly pages: readonly PageWrite[] }): void => {
    for (const { key, value } of changes) {
      if (value === undefined) store.delete(key)
      else store.set(key, value)
    }
    for (const { path, page } of writes) {
      if (page === undefined) pages.delete(path)
      else pages.set(path, page)
    }
    sorted = undefined
  }

  let height = 0
  let nowMs: number = genesisTimeMs
  let salts = 0
  const blockInfo = (): BlockInfo => ({ chain, height: height as Height, timeMs: nowMs as TimeMs })

  commit(executeGenesis(state, blockInfo(), sectionsOf(options)))
  height = 1

  const make: Harness['make'] = (kind, sender, payload, { cosigners = [], validUntilMs = nowMs + 60_000, chain: target = chain, salt } = {}) => {
    const ownSalt = new Uint8Array(16)
    new DataView(ownSalt.buffer).setUint32(0, salt === undefined ? ++salts : 0)
    const signers = [sender, ...[...cosigners].sort((a, b) => (a.did < b.did ? -1 : 1))]
    const body = encodeBody({ version: 1, chain: target, kind: kind.kind, signers: signers.map(({ did, multikey }) => ({ did, key: multikey })), validUntilMs: validUntilMs as TimeMs, salt: salt ?? ownSalt, payload: encode(kind.payload, payload) })
    const message = transactionSignedBytes(body)
    const transaction = decodeTransaction(encodeTransaction(body, signers.map((actor) => actor.sign(message))))
    for (const check of signatureChecks(transaction)) assert(verifySigned(check), 'a signature that verifies')
    return readyTransaction(transaction)
  }
  const execute: Harness['execute'] = (...transactions) => {
    const hash = taggedHash('test-block', new TextEncoder().encode(String(height)))
    const executed = executeWith(state, { ...blockInfo(), hash, transactions }, options.stepTransactions)
    commit(executed)
    blocks.unshift({ ...blockInfo(), transactions: transactions.map(({ transaction }) => transaction) })
    height++
    nowMs += 1_000
    return executed
  }
  const view = (): ReadView => createOverlay(source, createValueCache(1_000))

  return {
    chain,
    next: blockInfo,
    advance: (ms) => {
      nowMs += ms
    },
    make,
    execute,
    run: (kind, sender, payload, runOptions) => execute(make(kind, sender, payload, runOptions)).receipts[0] as Receipt,
    restart: () => {
      state = fresh()
      recallIds(state.seen, view(), blocks[0]?.timeMs ?? genesisTimeMs, blocks)
    },
    simulate: (transaction) => simulateTransaction(state, blockInfo(), transaction),
    query: async (query, params) => {
      // as over the RPC: parameters and result pass through JSON
      const parsed = query.params.fromJson(throughJson(query.params.toJson(params)), '')
      const result = await query.run(createQueryView(source), parsed, { ...blockInfo(), height: (height - 1) as Height })
      return result === undefined ? undefined : query.result.fromJson(throughJson(query.result.toJson(result)), '')
    },
    view,
    root: () => state.tree.root(),
    entries: () => [...store].sort(([a], [b]) => (a < b ? -1 : 1)),
    prove: (key) => {
      const value = store.get(key)
      assert(verifyStateProof(state.tree.root(), key, value, state.tree.prove(keyHashOf(key))), `a proof of ${key}`)
      return value
    },
    attest: (issuer, statement) => signAttestation(chain, { issuer: issuer.did, key: issuer.multikey, ...statement }, issuer.sign),
  }
}

/** The events of one type in a receipt or a block's outcome. */
export function eventsOf(from: { readonly events: readonly Event[] }, type: string): readonly (Event & Readonly<Record<string, unknown>>)[] {
  return from.events.filter((event) => event.type === type) as never
}

function throughJson(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}

function sectionsOf({ genesis = {}, actors = [], roles = [] }: HarnessOptions): ReadonlyMap<string, unknown> {
  const given = (name: string): Record<string, unknown> => (genesis[name] ?? {}) as Record<string, unknown>
  const holders = [testGovernors.city, testGovernors.bank, testRegistrar, testIssuer, ...actors, ...roles.map(([holder]) => holder)]
  const dids = new Map([...holders.map(({ entry }) => entry), ...((given('did').dids ?? []) as DidGenesis['dids'])].map((entry) => [entry.did, entry] as const))
  const governance: GovernanceGenesis = {
    parameters: { transactionValidityMsMax: 3_600_000, recoveryWaitMs: 86_400_000 },
    organisations: [
      { name: 'city', title: 'City of Busan' },
      { name: 'bank', title: 'BNK' },
    ],
    ...given('governance'),
    roles: [
      { did: testGovernors.city.did, role: 'governor', scope: 'city' },
      { did: testGovernors.bank.did, role: 'governor', scope: 'bank' },
      { did: testRegistrar.did, role: 'registrar', scope: '*' },
      { did: testIssuer.did, role: 'issuer', scope: '*' },
      ...roles.map(([holder, role, scope]) => ({ did: holder.did, role, scope })),
      ...((given('governance').roles ?? []) as GovernanceGenesis['roles']),
    ],
  }
  const all: { readonly [family: string]: unknown } = { ...genesis, did: { dids: [...dids.values()].sort((a, b) => compareBytes(new TextEncoder().encode(a.did), new TextEncoder().encode(b.did))) }, governance }
  return new Map(
    families.flatMap(({ name, genesis: section }) => {
      if (section === undefined) return []
      const schema = section.schema as unknown as Schema<unknown>
      const value = all[name] ?? schema.fromJson(smallest(schema.jsonSchema), name)
      // through the canonical encoding, as a genesis file comes in
      const decoded: unknown = decode(schema, encode(schema, value), 16 * 1_048_576)
      return [[name, name === 'governance' ? { ...(decoded as GovernanceGenesis), founding: testFounding } satisfies GovernanceSection : decoded] as const]
    }),
  )
}

/** The smallest JSON of a schema that has no required scalar: records of empty lists. */
function smallest(schema: JsonObject): Json {
  if (schema['type'] !== 'object') return []
  const properties = schema['properties'] as { readonly [name: string]: JsonObject }
  return Object.fromEntries((schema['required'] as readonly string[]).map((name) => [name, smallest(properties[name] as JsonObject)]))
}
