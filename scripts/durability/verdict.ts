// What becomes of damage: the victim's files are opened by the node's own parts, everything in them is read and compared with an undamaged twin, and what
// is missing behind an older head is caught up with the twin's blocks, as it would be from peers.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { blockHash } from '../../consensus/block.ts'
import { encodeRecord, type LogRecord } from '../../consensus/record.ts'
import { neededRecords } from '../../consensus/restore.ts'
import type { ChainStore, FinalBlock } from '../../node/chain-store.ts'
import { chainIdOf, type Genesis } from '../../genesis/genesis.ts'
import { silentLog } from '../../node/log.ts'
import { openChain, type OpenChain } from '../../node/open-chain.ts'
import { openStore } from '../../node/store.ts'
import { readEntries } from '../../node/vote-entries.ts'
import { whyVotesMissing } from '../../node/vote-mark.ts'
import { openVoteLog } from '../../node/votelog.ts'
import type { Store } from '../../node/world.ts'
import type { Height } from '../../primitives/brand.ts'
import { equalBytes, fromUtf8, toHex, utf8 } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { executeBlock } from '../../state/execute.ts'
import { readyTransaction, type ReadyTransaction } from '../../state/families.ts'
import { decodeTransaction, type Transaction } from '../../state/transaction.ts'

export const outcomes = ['refused at start', 'refused on read', 'repaired', 'harmless', 'SERVED SILENTLY'] as const
export type Outcome = (typeof outcomes)[number]

export interface Verdict {
  readonly outcome: Outcome
  /** The code of the refusal, or what was repaired or served. */
  readonly why: string
  /** The sentence of a refusal. */
  readonly sentence?: string
  /** A refusal that names no file or no way out, or is no DongbaekError. */
  readonly fault?: string
}

export interface Twin {
  readonly genesis: Genesis
  readonly entries: ReadonlyMap<string, Uint8Array>
  readonly head: Height
  readonly stateRoot: Uint8Array
  readonly stable: Height
  readonly blocks: readonly FinalBlock[]
  /** Prepared by the node's own reader, so that catching up executes just what a peer sends. */
  readonly ready: readonly (readonly ReadyTransaction[])[]
  readonly records: readonly LogRecord[]
  /** Of the validator whose folder it is. */
  readonly publicKey: Uint8Array
}

const cacheMiB = 16

/** Reads all of an undamaged data folder. */
export async function readTwin(dataDir: string, genesis: Genesis, publicKey: Uint8Array): Promise<Twin> {
  const chainId = chainIdOf(genesis)
  const database = await openStore({ folder: path.join(dataDir, 'store'), chainId })
  try {
    const { store, state } = await openChain(database, genesis, cacheMiB, silentLog)
    const { height: head, stateRoot } = store.head()
    const blocks: FinalBlock[] = []
    const ready: (readonly ReadyTransaction[])[] = []
    for (let height = 1; height <= head; height++) {
      const row = store.block(height as Height)
      const payload = store.payload(height as Height)
      if (row === undefined || payload === undefined) throw new Error(`the twin lacks block ${height}`)
      const transactions: Transaction[] = payload.map(decodeTransaction)
      blocks.push({ decision: { header: row.header, certificate: row.certificate }, references: row.references, transactions })
      ready.push(transactions.map(readyTransaction))
    }
    if (!equalBytes(state.tree.root(), stateRoot)) throw new Error('the twin is damaged')
    const stable = (await store.checkpointAtOrBelow(head))?.content.height ?? (0 as Height)
    const votes = openVoteLog({ folder: path.join(dataDir, 'votes'), chainId, publicKey, log: silentLog })
    await votes.log.close()
    return { genesis, publicKey, entries: await entriesOf(database), head, stateRoot, stable, blocks, ready, records: readEntries(votes.records).records }
  } finally {
    await database.close()
  }
}

async function entriesOf(database: Store): Promise<Map<string, Uint8Array>> {
  const entries = new Map<string, Uint8Array>()
  for await (const { key, value } of database.iterate({})) entries.set(toHex(key), value)
  return entries
}

/** Judges what lies in a data folder against its twin. */
export async function judgeData(dataDir: string, twin: Twin): Promise<Verdict> {
  const chainId = chainIdOf(twin.genesis)
  const markers = ['store.json', 'votes/votes.json'].filter((file) => !existsSync(path.join(dataDir, file)))
  let database: Store | undefined
  try {
    database = await openStore({ folder: path.join(dataDir, 'store'), chainId })
    const chain = await openChain(database, twin.genesis, cacheMiB, silentLog)
    const votes = openVoteLog({ folder: path.join(dataDir, 'votes'), chainId, publicKey: twin.publicKey, log: silentLog })
    await votes.log.close()
    const { records, mayVote } = readEntries(votes.records)
    // as the assembly does: such a log is given up, and the validator follows before it votes
    const followsFirst = !mayVote || whyVotesMissing(database, votes.log.position()) !== undefined
    const behind = chain.store.head().height < twin.head
    const before = chain.store.head().height
    const reading = await readAll(database, chain.store, twin, before)
    const lost = followsFirst ? undefined : lostVotes(records, twin)
    if (reading.silent.length > 0) return silent(reading.silent)
    if (lost !== undefined) return silent([lost])
    if (reading.refusal !== undefined) return refusal('refused on read', reading.refusal, dataDir)
    if (behind) {
      const late = await catchUp(database, chain, twin)
      if (late.silent.length > 0) return silent(late.silent)
      if (late.refusal !== undefined) return refusal('refused on read', late.refusal, dataDir)
      return { outcome: 'repaired', why: `${twin.head - before} blocks caught up` }
    }
    if (followsFirst) return { outcome: 'repaired', why: 'follows first, then votes' }
    if (votes.cutBytes > 0) return { outcome: 'repaired', why: 'torn tail cut, nothing needed in it' }
    const back = markers.filter((file) => existsSync(path.join(dataDir, file)))
    if (back.length > 0) return { outcome: 'repaired', why: 'marker written again' }
    return { outcome: 'harmless', why: 'everything reads as before' }
  } catch (error) {
    return refusal('refused at start', error, dataDir)
  } finally {
    await database?.close().catch(() => undefined)
  }
}

function silent(what: readonly string[]): Verdict {
  return { outcome: 'SERVED SILENTLY', why: `${what[0] ?? ''}${what.length > 1 ? ` (and ${what.length - 1} more)` : ''}` }
}

const waysOut = /resync|restore|start |move |check |copy|stop |rebuild|chmod|set |make |correct|point |use |replace/i

export function refusal(outcome: Outcome, error: unknown, folder: string): Verdict {
  if (!(error instanceof DongbaekError)) return { outcome, why: String(error), sentence: String(error), fault: 'not a DongbaekError' }
  const faults = [...(error.message.includes(folder) ? [] : ['names no file']), ...(waysOut.test(error.message) ? [] : ['no way out'])]
  return { outcome, why: error.code, sentence: error.message, ...(faults.length > 0 ? { fault: faults.join(', ') } : {}) }
}

interface Reading {
  readonly silent: readonly string[]
  readonly refusal: unknown
}

/** Every value that the twin has, as far as this head goes; and nothing that the twin has not. */
async function readAll(database: Store, store: ChainStore, twin: Twin, head: Height): Promise<Reading> {
  const wrong: string[] = []
  let refused: unknown
  const behind = head < twin.head
  for (const [hex, expected] of twin.entries) {
    const key = Buffer.from(hex, 'hex')
    const kind = String.fromCharCode(key[0] as number)
    try {
      const value = database.get(new Uint8Array(key))
      if (value !== undefined && equalBytes(value, expected)) continue
      if (written.has(hex) || (value === undefined ? kind === 'c' : isAnotherProof(store, twin, kind, key))) continue
      // behind an older head, what the missing blocks wrote is not there yet: judged after catching up
      if (behind && (value === undefined || kind === 's' || kind === 'n' || kind === 'm' || kind === 't')) continue
      wrong.push(`${nameOf(key)} ${value === undefined ? 'is missing' : 'is another value'} at head ${head} of ${twin.head}`)
    } catch (error) {
      refused ??= error
      if (!(error instanceof DongbaekError)) wrong.push(`${nameOf(key)}: ${String(error)}`)
    }
  }
  if (!behind && refused === undefined) {
    try {
      for (const hex of (await entriesOf(database)).keys()) if (!twin.entries.has(hex)) wrong.push(`${nameOf(Buffer.from(hex, 'hex'))} is there and should not`)
    } catch (error) {
      refused ??= error
    }
  }
  return { silent: wrong, refusal: refused }
}

/** The same block under the votes of another quorum, as other validators hold it. */
function isAnotherProof(store: ChainStore, { blocks }: Twin, kind: string, key: Uint8Array): boolean {
  if ((kind !== 'b' && kind !== 'c') || key.length !== 9) return false
  const height = Number(new DataView(key.buffer, key.byteOffset).getBigUint64(1)) as Height
  const expected = blocks[height - 1]
  if (expected === undefined) return false
  const hash = blockHash(expected.decision.header)
  if (kind === 'c') return equalBytes(store.checkpoint(height)?.content.blockHash ?? hash.subarray(1), hash)
  const row = store.block(height)
  return row !== undefined && equalBytes(blockHash(row.header), hash) && equalBytes(row.certificate.blockHash, hash)
}

/** Written at each sync, and with each block and stop: how far the vote log had got is judged by what it is for. */
const written = new Set(['msync', 'mvotes'].map((name) => toHex(utf8(name))))

function nameOf(key: Uint8Array): string {
  const kind = String.fromCharCode(key[0] as number)
  const names: Readonly<Record<string, string>> = { b: 'block', p: 'payload', r: 'receipts', c: 'certificate', h: 'hash of a block', t: 'place of a receipt', s: 'state', n: 'tree page', d: 'list of a DID', m: 'mark' }
  if ('bprc'.includes(kind) && key.length === 9) return `${names[kind] as string} ${new DataView(key.buffer, key.byteOffset).getBigUint64(1)}`
  return `${names[kind] ?? 'unknown'} ${'snm'.includes(kind) ? fromUtf8(key.subarray(1)) : toHex(key.subarray(1, 9))}`
}

async function catchUp(database: Store, { store, state }: OpenChain, twin: Twin): Promise<Reading> {
  try {
    for (let next = store.head().height + 1; next <= twin.head; next++) {
      const block = twin.blocks[next - 1] as FinalBlock
      const { header } = block.decision
      const executed = executeBlock(state, { chain: chainIdOf(twin.genesis), height: header.height, hash: blockHash(header), timeMs: header.timeMs, transactions: twin.ready[next - 1] as readonly ReadyTransaction[] })
      await store.putBlock(block, executed)
    }
  } catch (error) {
    return { silent: error instanceof DongbaekError ? [] : [`catching up ends in ${String(error)}`], refusal: error }
  }
  if (!equalBytes(store.head().stateRoot, twin.stateRoot)) return { silent: ['the state root after catching up is another: this node halts'], refusal: undefined }
  return readAll(database, store, twin, twin.head)
}

/** What this validator is still bound to and does not know any more. */
function lostVotes(records: readonly LogRecord[], twin: Twin): string | undefined {
  const needed = (all: readonly LogRecord[]): Map<string, LogRecord> => new Map(neededRecords(all, { stored: twin.head, stable: twin.stable }).map((record) => [toHex(encodeRecord(record)), record]))
  const have = needed(records)
  const expected = needed(twin.records)
  const lost = [...expected].flatMap(([hex, { type }]) => (have.has(hex) ? [] : [type]))
  if (lost.length > 0) return `votes taken back: ${lost.join(', ')}`
  const foreign = [...have].flatMap(([hex, { type }]) => (expected.has(hex) ? [] : [type]))
  return foreign.length > 0 ? `votes that this validator never gave: ${foreign.join(', ')}` : undefined
}
