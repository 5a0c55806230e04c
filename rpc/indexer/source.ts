// One node as the source of the index: who it is, what its genesis says of the map, and the next page of changes. It is believed what its events say, and checked
// in what can be: that it is of the same chain, that each transaction has the id it was asked for by, and that its blocks follow each other from the genesis on.
import type { TransactionId } from '../../primitives/brand.ts'
import { equalBytes, toBase64url } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { transactionBytesMax } from '../../primitives/limits.ts'
import { bytes, hash, height, invalid, type Json, type JsonObject, optional, record, type Schema, timeMs, transactionId } from '../../primitives/schema.ts'
import { eventSchema } from '../../state/events.ts'
import { type ReadyTransaction, readyTransaction } from '../../state/families.ts'
import { genesisSection } from '../../state/reservation/types.ts'
import { chainIdSchema, decodeTransaction } from '../../state/transaction.ts'
import { cursorToken } from '../api/events.ts'
import type { Client, MethodName } from '../client/index.ts'
import { type Change, changesOf, eventFault, needsTransaction, type Occurrence } from './changes.ts'
import { pageBlocks } from './limits.ts'
import type { Beginning, Progress } from './tables.ts'

/** The only events that change the map. */
const filter = { types: ['reservation'] } as const

const statusPart = record({ chainId: chainIdSchema, genesisHash: hash })
const namePart = record({ chainId: chainIdSchema, hash })
const pagePart = record({ next: cursorToken, lookedTo: height })
const eventPart = record({ height, timeMs, transaction: optional(transactionId), event: eventSchema })
const blockPart = record({ height, hash, parent: hash, timeMs })
const transactionPart = record({ bytes: bytes(1, transactionBytesMax) })

export interface Page {
  readonly changes: readonly Change[]
  readonly to: Progress
}

/**
 * Throws `indexer/other-chain` when the node is of another genesis, `indexer/other-history` when its chain has another block where the index stands, and what a
 * call throws. A node that is behind the index passes.
 */
export async function assertSameChain(client: Client, { chainId, genesisHash, height: at, hash: known }: Progress): Promise<void> {
  const status = readPart(statusPart, await ask(client, 'node_status', {}), 'node_status')
  if (status.chainId !== chainId || toBase64url(status.genesisHash) !== genesisHash) {
    throw new DongbaekError('indexer/other-chain', `the node is of ${status.chainId} and the index of ${chainId}. Name nodes of one chain, or another index`, { chainId, nodeChainId: status.chainId })
  }
  if (at === 0) return
  const [block] = readList(blockPart, (await ask(client, 'chain_getBlocks', { from: at, limit: 1 }))['items'], 'chain_getBlocks')
  if (block !== undefined && toBase64url(block.hash) !== known) {
    throw new DongbaekError('indexer/other-history', `the node has another block ${at} than the index has followed. One of the two is damaged or lies: compare with other nodes (chain_getBlock), then make the index anew with --rebuild`, { height: at })
  }
}

/** Where an index of this node's chain begins. Throws `indexer/genesis` when it says nothing of living areas and facilities. */
export async function readBeginning(client: Client): Promise<Beginning> {
  const answer = await ask(client, 'chain_genesis', {})
  const { chainId, hash: genesisHash } = readPart(namePart, answer, 'chain_genesis')
  try {
    const genesis = objectOf(answer['genesis'], 'genesis')
    const { timeMs: time } = readPart(record({ timeMs }), genesis, 'genesis')
    const { livingAreas, facilities } = genesisSection.fromJson(objectOf(genesis['state'], 'state')['reservation'] ?? null, 'state.reservation')
    return { chainId, genesisHash: toBase64url(genesisHash), timeMs: time, livingAreas, facilities }
  } catch (cause) {
    if (!(cause instanceof DongbaekError)) throw cause
    throw new DongbaekError('indexer/genesis', `the genesis of ${chainId} does not say what is on the map: ${cause.message}. Use the release that the network runs`, { chainId }, { cause })
  }
}

/** What follows a place of the feed; undefined when the node has nothing new. Throws `indexer/events`, `indexer/broken-chain`, and what a call throws. */
export async function readPage(client: Client, from: Progress, limit: number): Promise<Page | undefined> {
  const page = await ask(client, 'events_since', { cursor: from.cursor, filter, limit })
  const { next, lookedTo } = readPart(pagePart, page, 'events_since')
  if (next === from.cursor) return undefined
  const transactions = new Map<string, ReadyTransaction>()
  const changes: Change[] = []
  for (const item of readList(eventPart, page['items'], 'events_since')) {
    const { event, transaction: id } = item
    const occurrence = { height: item.height, timeMs: item.timeMs, event }
    if (id === undefined || !needsTransaction.has(event.type)) {
      changes.push(...changesOf(occurrence))
      continue
    }
    const key = toBase64url(id)
    const transaction = transactions.get(key) ?? (await readTransaction(client, id, occurrence))
    transactions.set(key, transaction)
    changes.push(...changesOf({ ...occurrence, transaction }))
  }
  return { changes, to: { ...from, cursor: next, ...(await followBlocks(client, from, lookedTo)) } }
}

/** The id is the hash of what is decoded here, so no node can pass off one transaction as another. */
async function readTransaction(client: Client, id: TransactionId, at: Pick<Occurrence, 'height' | 'event'>): Promise<ReadyTransaction> {
  const { transaction } = await ask(client, 'tx_get', { id: toBase64url(id) })
  const decoded = decodeTransaction(readPart(transactionPart, transaction, 'tx_get').bytes)
  if (!equalBytes(decoded.id, id)) throw eventFault(at, `the node answers another transaction than ${toBase64url(id)}`)
  return readyTransaction(decoded)
}

/** From block to block, each the parent of the next, up to the height `to`. */
async function followBlocks(client: Client, from: Progress, to: number): Promise<Pick<Progress, 'height' | 'hash' | 'timeMs'>> {
  let at: Pick<Progress, 'height' | 'hash' | 'timeMs'> = { height: from.height, hash: from.hash, timeMs: from.timeMs }
  while (at.height < to) {
    const { items } = await ask(client, 'chain_getBlocks', { from: at.height + 1, limit: Math.min(pageBlocks, to - at.height) })
    const blocks = readList(blockPart, items, 'chain_getBlocks')
    if (blocks.length === 0) throw brokenChain(at.height + 1, 'the node does not show it')
    for (const block of blocks) {
      if (block.height !== at.height + 1) throw brokenChain(at.height + 1, `the node shows block ${block.height} in its place`)
      if (toBase64url(block.parent) !== at.hash) throw brokenChain(block.height, `it does not follow block ${at.height}`)
      at = { height: block.height, hash: toBase64url(block.hash), timeMs: block.timeMs }
    }
  }
  return at
}

/** Throws what a call throws, and `codec/invalid` as all that reads an answer. */
async function ask(client: Client, method: MethodName, params: JsonObject): Promise<JsonObject> {
  return objectOf(await client.callUntyped(method, params), method)
}

function objectOf(json: Json | undefined, what: string): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(what, 'an object')
  return json as JsonObject
}

/** The fields of an object that count here: a newer node may have more. */
function readPart<T>(schema: Schema<T>, json: Json | undefined, what: string): T {
  const known = Object.keys(objectOf(schema.jsonSchema['properties'], what))
  return schema.fromJson(Object.fromEntries(Object.entries(objectOf(json, what)).filter(([name]) => known.includes(name))), what)
}

function readList<T>(schema: Schema<T>, json: Json | undefined, what: string): readonly T[] {
  if (!Array.isArray(json)) throw invalid(what, 'a list')
  return (json as readonly Json[]).map((item) => readPart(schema, item, what))
}

function brokenChain(at: number, why: string): DongbaekError {
  return new DongbaekError('indexer/broken-chain', `block ${at}: ${why}. Follow another node`, { height: at })
}
