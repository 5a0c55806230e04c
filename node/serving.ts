// Answers to other nodes' questions (exchange.ts): envelopes, payloads of blocks, and final blocks in a row, each within the bounds of an answer, and
// no faster to one peer than a share of this node's time allows.
import type { Hash, Height } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError, unreachable } from '../primitives/errors.ts'
import { answerFetch } from './availability.ts'
import type { ChainStore } from './chain-store.ts'
import { answerContentBytesMax, decodeFetchQuestion, decodeSyncQuestion, encodeBodiesAnswer, encodeCheckpointAnswer, encodeFetchAnswer, encodeSetsAnswer, type SetChange, setChangesMax, encodeSyncAnswer, type SyncBlock } from './exchange.ts'
import { answerCostBytes, servedBurstBytes, servedBytesPerSecond } from './limits.ts'
import type { Mempool } from './mempool.ts'
import type { Payloads } from './payloads.ts'
import type { Standing } from './recovery.ts'
import { decodeSnapshotQuestion, encodeRanBlocks, type SnapshotQuestion } from './snapshot-exchange.ts'
import type { Snapshots } from './snapshots.ts'
import type { Clock, RequestHandler } from './world.ts'

export interface ServingContext {
  readonly store: Pick<ChainStore, 'head' | 'oldest' | 'block' | 'payload' | 'results' | 'heightOf' | 'checkpointAtOrBelow'>
  readonly snapshots: Pick<Snapshots, 'manifest' | 'part'>
  readonly mempool: Pick<Mempool, 'byReference'>
  readonly payloads: Pick<Payloads, 'get' | 'byReference'>
  /** Validator sets from a number on, as long as certificates that name them are here. */
  readonly setChanges: (from: number, max: number) => Promise<readonly SetChange[]>
  readonly bodyOf: (hash: Hash) => Uint8Array | undefined
  readonly clock: Clock
  /** How far blocks and views have come here (recovery.ts). */
  readonly standing: () => Standing
}

export interface Serving {
  readonly fetch: RequestHandler
  readonly sync: RequestHandler
  readonly snapshot: RequestHandler
}

export function createServing({ store, snapshots, mempool, payloads, setChanges, bodyOf, clock, standing }: ServingContext): Serving {
  const byReference = (reference: Hash): Uint8Array | undefined => (mempool.byReference(toBase64url(reference)) ?? payloads.byReference(reference))?.transaction.bytes
  const byBlock = (block: Hash): { readonly references: readonly Hash[]; readonly envelopes: readonly Uint8Array[] } | undefined => {
    const open = payloads.get(block)
    if (open !== undefined) return { references: open.references, envelopes: open.transactions.map(({ transaction }) => transaction.bytes) }
    const height = store.heightOf(block)
    const row = height === undefined ? undefined : store.block(height)
    const envelopes = height === undefined ? undefined : store.payload(height)
    return row === undefined || envelopes === undefined ? undefined : { references: row.references, envelopes }
  }
  /** Final blocks from a height on, as many as fit. Throws `chain/pruned`, so that others are asked. */
  const blocksFrom = (from: Height, count: number, bytesOf: (height: Height) => number): readonly SyncBlock[] => {
    if (from < store.oldest()) throw new DongbaekError('chain/pruned', `blocks below ${store.oldest()} are not kept here`)
    const head = store.head().height
    const blocks: SyncBlock[] = []
    let room = answerContentBytesMax
    for (let height = Math.max(1, from) as Height; height <= head && blocks.length < count; height = (height + 1) as Height) {
      const row = store.block(height)
      const envelopes = store.payload(height)
      if (row === undefined || envelopes === undefined) break
      room -= sizeOf(envelopes) + bytesOf(height)
      if (room < 0 && blocks.length > 0) break
      blocks.push({ decision: { header: row.header, certificate: row.certificate }, references: row.references, envelopes })
    }
    return blocks
  }
  const snapshotAnswer = async (question: SnapshotQuestion): Promise<Uint8Array> => {
    switch (question.type) {
      case 'manifest':
        return snapshots.manifest(question.height)
      case 'part':
        return snapshots.part(question.height, question.index)
      case 'blocks': {
        const leavesOf = (height: Height): readonly Uint8Array[] => store.results(height) ?? []
        return encodeRanBlocks(blocksFrom(question.from, question.count, (height) => sizeOf(leavesOf(height))).map((block) => ({ block, leaves: leavesOf(block.decision.header.height) })))
      }
      default:
        return unreachable(question)
    }
  }
  const paced = createPace(clock)
  return {
    fetch: paced(async (encoded) => {
      const question = decodeFetchQuestion(encoded)
      if (question.type === 'sets') return encodeSetsAnswer(await setChanges(question.from, setChangesMax))
      if (question.type === 'bodies') return encodeBodiesAnswer(question.hashes.map(bodyOf).filter((body) => body !== undefined))
      if (question.type !== 'checkpoint') return encodeFetchAnswer(answerFetch(question, byReference, byBlock, answerContentBytesMax))
      const certificate = await store.checkpointAtOrBelow(question.at)
      return encodeCheckpointAnswer(certificate === undefined ? {} : { certificate })
    }),
    sync: paced(async (question) => {
      const { from, count } = decodeSyncQuestion(question)
      const head = store.head().height
      const blocks = blocksFrom(Math.max(1, from) as Height, count, () => 0)
      const checkpoint = await store.checkpointAtOrBelow(head)
      return encodeSyncAnswer({ blocks, head, ...standing(), ...(checkpoint === undefined ? {} : { checkpoint }) })
    }),
    snapshot: paced(async (question) => snapshotAnswer(decodeSnapshotQuestion(question))),
  }
}

/** In an answer, framing included; a block's header and certificate, with the signatures of the largest set, count as one more. */
function sizeOf(list: readonly Uint8Array[]): number {
  return list.reduce((sum, one) => sum + one.length + 48, 4_096)
}

/**
 * Each peer has a purse of bytes that refills with time and that answers are paid from; with an empty one its next question waits.
 * How many may wait is bounded by the transport (inboundRequestsMax), and so is how long (answerTimeoutMs).
 */
function createPace(clock: Clock): (answer: (question: Uint8Array) => Promise<Uint8Array>) => RequestHandler {
  const purses = new Map<string, { bytes: number; atMs: number }>()
  const refilled = (peer: string): { bytes: number; atMs: number } => {
    const nowMs = clock.monotonic()
    const purse = purses.get(peer) ?? { bytes: servedBurstBytes, atMs: nowMs }
    purses.set(peer, purse)
    purse.bytes = Math.min(servedBurstBytes, purse.bytes + ((nowMs - purse.atMs) / 1_000) * servedBytesPerSecond)
    purse.atMs = nowMs
    return purse
  }
  return (answer) => async (peer, question) => {
    for (let purse = refilled(peer); purse.bytes < 0; purse = refilled(peer)) {
      const ms = Math.ceil((-purse.bytes / servedBytesPerSecond) * 1_000) + 1
      await new Promise<void>((resolve) => clock.after(ms, resolve))
    }
    const encoded = await answer(question)
    refilled(peer).bytes -= encoded.length + answerCostBytes
    return encoded
  }
}
