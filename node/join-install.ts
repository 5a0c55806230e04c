// What a node that joins puts into its new database: the parts of the state, the tree's pages above them, the blocks whose transactions could run again, and the head.
// Each piece is checked before it is put, and put with a note that it is there, in one batch: a restart goes on with what is missing.
import { blockHash } from '../consensus/block.ts'
import { decisionChecks, type VerificationContext } from '../consensus/verification.ts'
import type { Hash, Height } from '../primitives/brand.ts'
import type { Infer } from '../primitives/schema.ts'
import { equalBytes, utf8 } from '../primitives/bytes.ts'
import { decode } from '../primitives/codec.ts'
import { assert, DongbaekError } from '../primitives/errors.ts'
import { blockBytesMax } from '../primitives/limits.ts'
import { longestValidityMs } from '../state/governance/parameters.ts'
import { blockRecordTable } from '../state/block-record.ts'
import { receiptSchema, receiptsRoot } from '../state/receipt.ts'
import { checkPart, joinParts, type SnapshotPart } from '../state/snapshot.ts'
import { decodeValue, stateKey } from '../state/table.ts'
import { decodeTransaction } from '../state/transaction.ts'
import { createOverlay, createValueCache } from '../state/view.ts'
import { carryBodies } from './bodies.ts'
import { blockOps, checkpointOp, headOp, heightKey, oldestOp, stateOps } from './chain-store.ts'
import { bindsReferences } from './payloads.ts'
import { encodeManifest, type Manifest, type RanBlockAnswer, snapshotHash } from './snapshot-exchange.ts'
import { endOfPrefix } from './store-range.ts'
import { allVerify } from './sync-check.ts'
import type { Store, StoreOp, StoreReader, Verifier } from './world.ts'

const manifestKey = utf8('jmanifest')
const hashKey = utf8('jhash')
const partKey = (index: number): Uint8Array => utf8(`jpart/${index}`)
const copyEntries = 500

export interface Install {
  /** Places in the list of the parts that are not there yet. */
  readonly missingParts: () => readonly number[]
  /** Throws `snapshot/malformed`. */
  readonly putPart: (index: number, encoded: Uint8Array) => Promise<void>
  /** Heights of the blocks to fetch that are not there yet, descending; once all parts are there. */
  readonly missingBlocks: () => readonly Height[]
  /** Throws `snapshot/malformed`, `verifier/…`. */
  readonly putBlock: (answer: RanBlockAnswer, verifier: Pick<Verifier, 'verifyBatch'>) => Promise<void>
  /** The last step: what makes it a chain, and from the database in use what no block tells. On the disk when it resolves. */
  readonly finish: (old: StoreReader) => Promise<void>
}

/** True when `database` was begun with this snapshot. */
export function isInstalling(database: StoreReader, manifest: Manifest): boolean {
  const begun = database.get(hashKey)
  return begun !== undefined && equalBytes(begun, snapshotHash(manifest))
}

/** `context` knows the sets up to the height of the snapshot. */
export async function beginInstall(database: Store, manifest: Manifest, context: VerificationContext): Promise<Install> {
  const { parts, certificate } = manifest
  const { content } = certificate
  const top = joinParts(parts)
  assert(top !== undefined && equalBytes(top.root, content.stateRoot), 'the list of parts was checked')
  if (!isInstalling(database, manifest)) await database.batch([{ type: 'put', key: manifestKey, value: encodeManifest(manifest) }, { type: 'put', key: hashKey, value: snapshotHash(manifest) }], { sync: true })

  const recordOf = (at: Height): Infer<typeof blockRecordTable.schema> => {
    const encoded = database.get(utf8(`s${stateKey(blockRecordTable, [at])}`))
    if (encoded === undefined) throw new DongbaekError('store/damaged', `the state of the snapshot does not name block ${at}`, { height: at })
    return decodeValue(blockRecordTable, encoded)
  }

  /** The lowest block whose transactions a block above the snapshot could meet again, and one more. */
  const oldest = (): Height => {
    const view = createOverlay({ get: (key) => database.get(utf8(`s${key}`)) }, createValueCache(1))
    const fromMs = recordOf(content.height).timeMs - longestValidityMs(view)
    let height = content.height
    while (height > 1 && recordOf(height).timeMs >= fromMs) height = (height - 1) as Height
    return height
  }

  return {
    missingParts: () => parts.flatMap((_, index) => (database.get(partKey(index)) === undefined ? [index] : [])),
    putPart: async (index, encoded) => {
      const { entries, pages } = checkPart(parts[index] as SnapshotPart, encoded)
      await database.batch([...stateOps({ changes: entries, pages }), { type: 'put', key: partKey(index), value: Uint8Array.of(1) }], { sync: false })
    },
    missingBlocks: () => {
      const missing: Height[] = []
      for (let height = content.height, last = oldest(); height >= last; height = (height - 1) as Height) if (database.get(heightKey('b', height)) === undefined) missing.push(height)
      return missing
    },
    putBlock: async ({ block, leaves }, verifier) => {
      const { decision, references, envelopes } = block
      const { height } = decision.header
      const record = recordOf(height)
      const checks = decisionChecks(decision, context)
      if (!equalBytes(blockHash(decision.header), record.hash) || !checks.ok) throw malformed(height, 'it is not the block that the state names')
      if (!bindsReferences(decision.header, references) || envelopes.length !== references.length) throw malformed(height, 'its transactions are not those that the header binds')
      if (!equalBytes(receiptsRoot(leaves), record.receiptsRoot) || leaves.length !== references.length + 1) throw malformed(height, 'its receipts are not those that the state binds')
      const transactions = envelopes.map((envelope) => decodeTransaction(envelope))
      if (transactions.some(({ reference }, i) => !equalBytes(reference, references[i] as Hash))) throw malformed(height, 'an envelope is not the one that the header binds')
      // a certificate is handed on to others
      if (!(await allVerify(checks.checks, verifier))) throw malformed(height, 'a commit signature does not verify')
      const receipts = leaves.slice(1).map((leaf) => decode(receiptSchema, leaf, blockBytesMax))
      await database.batch(blockOps(database, { decision, references, transactions }, { leaves, receipts }), { sync: false })
    },
    finish: async (old) => {
      const { height, blockHash: hash, stateRoot } = content
      const { timeMs } = recordOf(height)
      await copyRows(old, database)
      await carryBodies(old, database)
      const ops: StoreOp[] = [...stateOps({ changes: [], pages: top.pages }), checkpointOp(certificate), oldestOp(oldest()), headOp({ height, hash, timeMs, stateRoot })]
      for (const key of [manifestKey, hashKey, ...parts.map((_, index) => partKey(index))]) ops.push({ type: 'del', key })
      await database.batch(ops, { sync: true })
    },
  }
}

/** Evidence, which lies outside the blocks, and how far the votes were when the old database was written. */
async function copyRows(from: StoreReader, to: Store): Promise<void> {
  const mark = from.get(utf8('mvotes'))
  if (mark !== undefined) await to.batch([{ type: 'put', key: utf8('mvotes'), value: mark }], { sync: false })
  const prefix = utf8('e')
  const end = endOfPrefix(prefix)
  const ops: StoreOp[] = []
  for await (const { key, value } of from.iterate({ gte: prefix, ...(end === undefined ? {} : { lt: end }) })) {
    ops.push({ type: 'put', key, value })
    if (ops.length >= copyEntries) await to.batch(ops.splice(0), { sync: false })
  }
  await to.batch(ops, { sync: false })
}

function malformed(height: Height, why: string): DongbaekError {
  return new DongbaekError('snapshot/malformed', `block ${height} does not hold: ${why}`, { height })
}
