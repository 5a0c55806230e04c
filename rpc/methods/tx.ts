// tx_…: handing in, waiting, reading, proving.
import type { Height, TransactionId } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { assert, DongbaekError } from '../../primitives/errors.ts'
import { merkleProof } from '../../primitives/merkle.ts'
import { blockRecordTable } from '../../state/block-record.ts'
import { receiptLeaves } from '../../state/receipt.ts'
import { stateKey } from '../../state/table.ts'
import type { ResultOf } from '../api/declare.ts'
import type { eventsBlockProof, eventsProof } from '../api/events.ts'
import { txGet, txGetByDid, txProof, txSimulate, txSubmit, txWait } from '../api/tx.ts'
import type { Backend } from '../backend.ts'
import { waitMsDefault } from '../limits.ts'
import { storedBlock, storedResults } from './chain.ts'
import { type Call, type Method, serve } from './method.ts'
import { viewOf } from './transaction-view.ts'

function finalTransaction(backend: Backend, id: TransactionId): NonNullable<ReturnType<Backend['transaction']>> {
  const found = backend.transaction(id)
  if (found === undefined) throw new DongbaekError('tx/not-found', 'no transaction with this id has run here', { id: toBase64url(id), headHeight: backend.head().height })
  return found
}

const pageItemsDefault = 100

export const txMethods: readonly Method[] = [
  serve(txSubmit, async ({ backend }, { transaction }) => ({ id: await backend.submit(transaction) })),

  serve(txWait, async ({ backend, signal }, { id, timeoutMs = waitMsDefault }) => {
    const receipt = backend.transaction(id)?.receipt ?? (await whileWanted(signal, backend.waitReceipt(id, timeoutMs, signal)))
    if (receipt === undefined) throw new DongbaekError('tx/not-final', `not final within ${timeoutMs} ms; its fate is open, ask again`, { id: toBase64url(id), timeoutMs })
    return receipt
  }),

  serve(txGet, ({ backend }, { id }) => {
    const { transaction, receipt } = finalTransaction(backend, id)
    return { transaction: viewOf(transaction), receipt }
  }),

  serve(txSimulate, ({ backend }, { transaction }) => backend.simulate(transaction)),

  serve(txGetByDid, async ({ backend }, { did, cursor, limit = pageItemsDefault }) => {
    const { items, next } = await backend.transactionsByDid(did, cursor, limit)
    return {
      items: items.map((id) => {
        const { transaction, receipt } = finalTransaction(backend, id)
        return { id, height: receipt.height, index: receipt.index, kind: transaction.kind, sender: transaction.sender, status: receipt.status }
      }),
      ...(next === undefined ? {} : { next }),
    }
  }),

  serve(txProof, async ({ backend }, { id }) => {
    const { height, index } = finalTransaction(backend, id).receipt
    const references = storedBlock(backend, height).transactions().map(({ reference }) => reference)
    const reference = references[index]
    assert(reference !== undefined, 'a receipt names its place')
    return { transaction: { reference, index, count: references.length, path: merkleProof(references, index) }, ...(await proveLeaf(backend, height, index + 1)) }
  }),
]

/** A leaf of the receipts tree of a stored block: 0 for what it did by itself, from 1 the receipts. Throws `node/not-certified`. */
export async function proveLeaf(backend: Backend, height: Height, index: number): Promise<Omit<ResultOf<typeof eventsProof>, 'place'>> {
  const { leaves, ...upToCheckpoint } = await proveLeaves(backend, height)
  const leaf = leaves[index]
  assert(leaf !== undefined, 'the block has this leaf')
  return { receipt: { leaf, index, count: leaves.length, path: merkleProof(leaves, index) }, ...upToCheckpoint }
}

/** All leaves of it. Throws `node/not-certified`. */
export async function proveLeaves(backend: Backend, height: Height): Promise<ResultOf<typeof eventsBlockProof>> {
  const { header } = storedBlock(backend, height)
  const { outcome, receipts } = storedResults(backend, height)
  const { checkpoint, entries } = await backend.prove([stateKey(blockRecordTable, [height])])
  const block = entries[0]
  assert(block !== undefined, 'each key asked for is answered')
  // true of a state before the block, and no answer to who asks about the block
  if (block.value === undefined) throw new DongbaekError('node/not-certified', `no state with block ${height} is certified yet: ask again in a second`, { height, certifiedHeight: checkpoint.content.height })
  return { leaves: receiptLeaves(outcome, receipts), header, block, checkpoint }
}

/** Throws `rpc/stopping` once nobody waits any more. */
async function whileWanted<T>(signal: Call['signal'], result: Promise<T>): Promise<T> {
  const stopping = (): DongbaekError => new DongbaekError('rpc/stopping', 'the node is stopping; wait for the same id at another node')
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(stopping())
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
