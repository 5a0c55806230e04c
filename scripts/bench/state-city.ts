// A chain on the disk with many citizens, made without a network, and blocks of spends on it. Shops and the programme come by transactions; the citizens' rows (a DID, a grant, a
// pseudonym each) are put into the store and the tree as they would be after a registration and an application, in the order of the tree, so that a million takes minutes.
import { blockHash, type BlockHeader } from '../../consensus/block.ts'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { chainIdOf, type Genesis } from '../../genesis/genesis.ts'
import { multiChild } from '../../genesis/presets/busan-programs.ts'
import { devnet as preset } from '../../genesis/presets/devnet.ts'
import { type FinalBlock, stateOps } from '../../node/chain-store.ts'
import { checkedSource } from '../../node/checked-state.ts'
import { silentLog } from '../../node/log.ts'
import { type OpenChain, openChain } from '../../node/open-chain.ts'
import { payloadRoot } from '../../node/payloads.ts'
import { openStore } from '../../node/store.ts'
import type { Height, TimeMs, View, Won } from '../../primitives/brand.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { keyPairFromSeed } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { KindName, PayloadOf } from '../../rpc/client/index.ts'
import { didTable } from '../../state/did/documents.ts'
import { type DidKey, didOf } from '../../state/did/types.ts'
import { type ExecutableBlock, executeBlock } from '../../state/execute.ts'
import { kinds, readyTransaction, type ReadyTransaction } from '../../state/families.ts'
import { accountTable, programTable, pseudonymKey, pseudonymTable } from '../../state/points/keys.ts'
import { move } from '../../state/points/sums.ts'
import type { Program } from '../../state/points/types.ts'
import { keyHashOf } from '../../state/proof.ts'
import { encodeValue, stateKey, type Table } from '../../state/table.ts'
import { decodeTransaction, encodeBody, encodeTransaction, envelopeVersion, multikeyOf, type SignerKey } from '../../state/transaction.ts'
import { createOverlay, type StateChange } from '../../state/view.ts'

const merchantCount = 20
const tier = 'two-children'
const grantWon = 300_000 as Won
const budget = 1_000_000_000_000 as Won
const spendWon = 100 as Won
const rowsPerCitizen = 3
const sliceRows = 30_000
const stepMs = 1_000
const validityMs = 60_000
const cacheMiB = 128
const blank = new Uint8Array(64)

export interface StateBlock {
  readonly executable: ExecutableBlock
  readonly final: FinalBlock
}

export interface StateCity extends OpenChain {
  readonly genesis: Genesis
  /** Keys and values of a citizen's rows and of its share of the tree, as they go into LevelDB, which compresses them. */
  readonly bytesPerAccount: number
  /** The next block, of spends by citizens whom `pick` chooses (from 0, below the number of accounts). */
  readonly spends: (count: number, pick: () => number) => StateBlock
  readonly close: () => Promise<void>
}

/** Makes the chain in an empty folder. */
export async function buildStateCity(folder: string, accounts: number): Promise<StateCity> {
  const genesis = buildGenesis(preset, {
    name: 'bench-state',
    timeMs: Date.now(),
    nodes: preset.organisations.map(({ id }, i) => ({ name: `${id}-1`, organisation: id, publicKey: keyPairFromSeed(sha256(utf8(id))).publicKey, addresses: [`127.0.0.1:${20_000 + i}`] })),
    offices: preset.offices.map(({ id }) => ({ office: id, publicKey: officeKey(id) })),
  })
  const chain = chainIdOf(genesis)
  const database = await openStore({ folder, chainId: chain })
  const opened = await openChain(database, genesis, cacheMiB, silentLog)
  const { store } = opened
  // as the executor of a node reads
  const state = { ...opened.state, source: checkedSource(store.stateValue, opened.state.tree, database.place) }
  let salts = 0

  const make = <K extends KindName>(kind: K, payload: PayloadOf<K>, ...signers: readonly SignerKey[]): ReadyTransaction => {
    const salt = new Uint8Array(16)
    new DataView(salt.buffer).setUint32(0, ++salts)
    const schema = kinds.get(kind)?.payload as unknown as Parameters<typeof encode<PayloadOf<K>>>[0]
    const body = encodeBody({ version: envelopeVersion, chain, kind, signers, validUntilMs: (store.head().timeMs + validityMs) as TimeMs, salt, payload: encode(schema, payload) })
    // the executor does not check signatures: they were checked before the transactions were ordered
    return readyTransaction(decodeTransaction(encodeTransaction(body, signers.map(() => blank))))
  }

  const blockOf = (ready: readonly ReadyTransaction[]): StateBlock => {
    const { hash: parent, timeMs: parentMs, height: parentHeight } = store.head()
    const height = (parentHeight + 1) as Height
    const timeMs = (parentMs + stepMs) as TimeMs
    const transactions = ready.map(({ transaction }) => transaction)
    const references = transactions.map(({ reference }) => reference)
    const header: BlockHeader = { chain, height, parent, timeMs, proposer: 0, payload: payloadRoot(references), payloadCount: references.length }
    const hash = blockHash(header)
    const certificate = { view: 0 as View, height, blockHash: hash, signatures: [0, 1, 2].map((validator) => ({ validator, signature: blank })) }
    return { executable: { chain, height, hash, timeMs, transactions: ready }, final: { decision: { header, certificate }, references, transactions } }
  }

  const [registrar, officer] = [signerOf(officeKey('registrar')), signerOf(officeKey('officer'))]
  const merchants = Array.from({ length: merchantCount }, (_, i) => signerOf(sha256(utf8(`merchant ${i}`))))
  const { program, terms } = multiChild(genesis.timeMs)
  const opening = blockOf([
    ...merchants.map((merchant) => make('did.register', { keys: keysOf(merchant), services: [], recovery: undefined }, merchant, registrar)),
    ...merchants.map(({ did }) => make('points.registerMerchant', { merchant: did, category: 'bookshop', livingArea: undefined }, officer)),
    make('points.openProgram', { program, budget, terms }, officer),
  ])
  const executed = executeBlock(state, opening.executable)
  const refused = executed.receipts.find(({ status }) => status !== 'ok')
  if (refused !== undefined) throw new Error(`the chain of the benchmark is refused a transaction: ${refused.code}`)
  await store.putBlock(opening.final, executed)

  let bytes = 0
  const put = async (changes: readonly StateChange[]): Promise<void> => {
    const pages = state.tree.update(changes.map(({ key, value }) => ({ keyHash: keyHashOf(key), valueHash: value === undefined ? undefined : sha256(value) })))
    const ops = stateOps({ changes, pages })
    for (const op of ops) bytes += op.key.length + (op.type === 'put' ? op.value.length : 0)
    await database.batch(ops, { sync: false })
  }
  const rowOf = (row: number): StateChange => citizenRow(program, Math.floor(row / rowsPerCitizen), row % rowsPerCitizen, opening.executable.timeMs)
  const order = inTreeOrder(accounts * rowsPerCitizen, rowOf)
  for (let from = 0; from < order.length; from += sliceRows) await put(Array.from(order.subarray(from, from + sliceRows), rowOf))
  const bytesPerAccount = Math.round(bytes / accounts)
  const overlay = createOverlay(state.source, state.cache)
  const context = { block: opening.executable, view: overlay, emit: () => {} }
  move(context, overlay.get(programTable, program) as Program, 'granted', accounts * grantWon, { grants: accounts })
  await put(overlay.changes())
  overlay.retain()

  return {
    genesis,
    store,
    state,
    bytesPerAccount,
    spends: (count, pick) =>
      blockOf(
        Array.from({ length: count }, (_, i) => {
          const citizen = citizenOf(pick())
          return make('points.spend', { program, merchant: (merchants[i % merchantCount] as SignerKey).did, amount: spendWon, ownShareMax: undefined, reference: undefined }, citizen)
        }),
      ),
    close: () => database.close(),
  }
}

function officeKey(id: string): Uint8Array {
  return keyPairFromSeed(sha256(utf8(`office ${id}`))).publicKey
}

function signerOf(publicKey: Uint8Array): SignerKey {
  const key = multikeyOf(publicKey)
  return { key, did: didOf([{ key, relationships: ['authentication', 'assertionMethod'] }]) }
}

function keysOf({ key }: SignerKey): readonly DidKey[] {
  return [{ key, relationships: ['authentication', 'assertionMethod'] }]
}

/** The key is nobody's. */
function citizenOf(i: number): SignerKey {
  return signerOf(sha256(utf8(`citizen ${i}`)))
}

function citizenRow(program: string, i: number, row: number, timeMs: TimeMs): StateChange {
  const citizen = citizenOf(i)
  const { did, key } = citizen
  const change = <T>(table: Table<T>, parts: readonly string[], value: T): StateChange => ({ key: stateKey(table, parts), value: encodeValue(table, value) })
  const none = 0 as Won
  if (row === 0) return change(didTable, [did], { version: 1, keys: keysOf(citizen), services: [], atMs: timeMs, atHeight: 1 as Height, createdMs: timeMs, deactivated: false })
  if (row === 1) return change(pseudonymTable, pseudonymKey(program, sha256(key)), { did })
  return change(accountTable, [program, did], {
    application: { tier, place: i + 1, appliedMs: timeMs, status: 'granted' },
    grants: [{ tier, amount: grantWon, spent: none, reclaimed: none, onHold: none, ownPaid: none }],
  })
}

/** The numbers of the rows in the order of their keys' hashes: so written, a page of the tree is written once or twice. */
function inTreeOrder(count: number, rowOf: (row: number) => StateChange): Uint32Array {
  const places = Float64Array.from({ length: count }, (_, row) => {
    const hash = keyHashOf(rowOf(row).key)
    return new DataView(hash.buffer, hash.byteOffset).getUint32(0) * 65_536 + new DataView(hash.buffer, hash.byteOffset).getUint16(4)
  })
  return Uint32Array.from({ length: count }, (_, row) => row).sort((a, b) => (places[a] as number) - (places[b] as number))
}
