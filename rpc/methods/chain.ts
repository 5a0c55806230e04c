// chain_…: what stands in the chain, by height or hash.
import type { Hash, Height } from '../../primitives/brand.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { chainGenesis, chainGenesisBytes, chainGetBlock, chainGetBlocks, chainGetCertificate, chainGetCheckpoint, chainGetEvidence, chainGetSetChanges, chainGetValidators, chainHead } from '../api/chain.ts'
import type { Backend, StoredBlock } from '../backend.ts'
import { type Method, serve } from './method.ts'
import { viewOf } from './transaction-view.ts'

const blocksDefault = 20
const setChangesDefault = 20

/** Throws `chain/not-found` or `chain/pruned`. */
export function storedBlock(backend: Backend, height: Height): StoredBlock {
  const block = height > backend.head().height ? undefined : backend.block(height)
  if (block === undefined) throw missing(backend, height)
  return block
}

/** Throws `chain/not-found` or `chain/pruned`. */
export function storedResults(backend: Backend, height: Height): NonNullable<ReturnType<Backend['results']>> {
  const results = height > backend.head().height ? undefined : backend.results(height)
  if (results === undefined) throw missing(backend, height)
  return results
}

function missing(backend: Backend, height: Height): DongbaekError {
  const head = backend.head().height
  const oldest = backend.oldestHeight()
  if (height >= 1 && height < oldest) return new DongbaekError('chain/pruned', `block ${height} is not kept here any more; the oldest is ${oldest}`, { height, oldestHeight: oldest })
  return new DongbaekError('chain/not-found', `there is no block ${height}; the head is ${head}`, { height, headHeight: head })
}

function heightOfHash(backend: Backend, hash: Hash): Height {
  const height = backend.heightOf(hash)
  if (height === undefined) throw new DongbaekError('chain/not-found', 'there is no block with this hash', { headHeight: backend.head().height })
  return height
}

export const chainMethods: readonly Method[] = [
  serve(chainHead, ({ backend }) => backend.head()),

  serve(chainGenesis, ({ backend }) => ({ chainId: backend.chainId, hash: backend.genesisHash, genesis: backend.genesis })),

  serve(chainGenesisBytes, ({ backend }) => ({ bytes: backend.genesisBytes })),

  serve(chainGetBlock, ({ backend }, { height, hash, transactions }) => {
    const at = height ?? heightOfHash(backend, hash as Hash)
    const block = storedBlock(backend, at)
    const short = { height: at, hash: block.hash, header: block.header, certificate: block.certificate, ids: block.ids }
    if (transactions !== 'full') return short
    const { outcome, receipts } = storedResults(backend, at)
    return { ...short, transactions: block.transactions().map(viewOf), receipts, outcome }
  }),

  serve(chainGetBlocks, ({ backend }, { from, limit = blocksDefault, order = 'ascending' }) => {
    const head = backend.head().height
    const oldest = backend.oldestHeight()
    const step = order === 'ascending' ? 1 : -1
    const within = (at: number): boolean => at >= oldest && at <= head
    let at: number = from ?? (order === 'ascending' ? oldest : head)
    if (order === 'descending') at = Math.min(at, head)
    else if (at < oldest) throw missing(backend, at as Height)
    const items = []
    for (; within(at) && items.length < limit; at += step) {
      const { hash, header } = storedBlock(backend, at as Height)
      items.push({ height: header.height, hash, parent: header.parent, timeMs: header.timeMs, proposer: header.proposer, transactions: header.payloadCount })
    }
    return within(at) ? { items, next: at as Height } : { items }
  }),

  serve(chainGetCertificate, ({ backend }, { height }) => storedBlock(backend, height).certificate),

  serve(chainGetCheckpoint, async ({ backend }, { height }) => {
    const checkpoint = await backend.checkpoint(height)
    if (checkpoint === undefined) throw new DongbaekError('chain/not-found', 'no checkpoint is certified here yet at or below this height', { headHeight: backend.head().height })
    return checkpoint
  }),

  serve(chainGetValidators, ({ backend }, { height }) => {
    const epoch = backend.validators(height)
    if (epoch === undefined) throw new DongbaekError('chain/not-found', 'the validator set of this height is not known here', { headHeight: backend.head().height })
    const scheduled = backend.scheduledSet()
    return { ...epoch, ...(scheduled === undefined ? {} : { scheduled }) }
  }),

  serve(chainGetSetChanges, async ({ backend }, { from = 1, limit = setChangesDefault }) => {
    const items = []
    for (let number = from; items.length < limit; number++) {
      const change = await backend.setChange(number)
      if (change === undefined) return { items }
      const { epoch, checkpoint } = change
      if (checkpoint !== undefined) items.push({ number, activation: epoch.activation, set: epoch.set, checkpoint })
      else if (epoch.activation > backend.head().height) return { items }
      else throw new DongbaekError('chain/not-found', `the certificate that names validator set ${number} is not here yet; the node asks its peers for it`, { number, headHeight: backend.head().height })
    }
    return { items, next: from + limit }
  }),

  serve(chainGetEvidence, ({ backend }) => ({ items: backend.evidence() })),
]
