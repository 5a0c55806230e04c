// A chain in memory: real execution, real certificates of four validators of two organisations, no consensus and no disk.
// Submitted transactions run at once, each in a block of its own; `block` makes a block of several.
import { type BlockHeader, blockHash } from '../../consensus/block.ts'
import type { CheckpointCertificate, SlotCertificate } from '../../consensus/certificate.ts'
import { type Epoch, epochHash, type ValidatorSet } from '../../consensus/validators.ts'
import { checkpointBytes, voteBytes } from '../../consensus/votes.ts'
import type { Hash, Height, TimeMs, TransactionId, View } from '../../primitives/brand.ts'
import { toBase64url, utf8 } from '../../primitives/bytes.ts'
import { type KeyPair, keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { sha256, taggedHash } from '../../primitives/hash.ts'
import { merkleRoot } from '../../primitives/merkle.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { verifySigned } from '../../primitives/signature.ts'
import type { Backend, NodeStatus, StoredBlock } from '../../rpc/backend.ts'
import { executeBlock, type Executed, simulateTransaction, type State } from '../../state/execute.ts'
import { readyTransaction, type ReadyTransaction } from '../../state/families.ts'
import { putSet, windowTable } from '../../state/governance/validator-sets.ts'
import { parametersTable, type Parameters } from '../../state/parameters.ts'
import { keyHashOf } from '../../state/proof.ts'
import type { Receipt } from '../../state/receipt.ts'
import { createSeenIds } from '../../state/seen.ts'
import { decodeTransaction, signatureChecks } from '../../state/transaction.ts'
import { createStateTree, type PageWrite } from '../../state/tree.ts'
import { createOverlay, createQueryView, createValueCache, type StateChange, type WriteView } from '../../state/view.ts'

export interface MemoryChainOptions {
  /** Puts the first state in place, besides the parameters. */
  readonly setup?: (view: WriteView, block: { readonly chain: string; readonly height: Height; readonly timeMs: TimeMs }) => void
  readonly parameters: Parameters
  readonly startMs?: number
  /** What chain_genesis answers besides the hash. */
  readonly genesis?: JsonObject
}

export interface MemoryChain {
  readonly backend: Backend
  readonly chainId: string
  readonly validators: ValidatorSet
  /** Of the validators, in their order. */
  readonly pairs: readonly KeyPair[]
  readonly timeMs: () => number
  /** A block of these, now. Throws like `submit` for what may not be ordered. */
  readonly block: (encoded: readonly Uint8Array[]) => readonly Receipt[]
  /** Changes what the node says of itself. */
  readonly set: (changes: Partial<NodeStatus> & { readonly oldestHeight?: number }) => void
  /** The next block is so much later. */
  readonly skip: (ms: number) => void
  /** Holds submitted transactions back until the next `block([])`. */
  readonly hold: (hold: boolean) => void
}

interface StoredResult {
  readonly block: StoredBlock
  readonly executed: Executed
  readonly checkpoint: CheckpointCertificate
}

const seconds = 1_000

export function createMemoryChain({ setup, parameters, startMs = 1_760_000_000_000, genesis = { network: 'memory' } }: MemoryChainOptions): MemoryChain {
  const pairs = [1, 2, 3, 4].map((n) => keyPairFromSeed(new Uint8Array(32).fill(n)))
  const validators: ValidatorSet = {
    validators: pairs.map(({ publicKey }, i) => ({ name: `validator-${i}`, organisation: i % 2 === 0 ? 'city' : 'bank', publicKey })),
    minimums: [
      { organisation: 'city', minimum: 1 },
      { organisation: 'bank', minimum: 1 },
    ],
  }
  const epoch: Epoch = { activation: 1 as Epoch['activation'], set: validators }
  const genesisHash = taggedHash('genesis', utf8('memory'))
  const chainId = `memory-${[...genesisHash.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`

  const values = new Map<string, Uint8Array>()
  const pages = new Map<string, Uint8Array>()
  const state: State = {
    source: { get: (key) => values.get(key) },
    cache: createValueCache(10_000),
    tree: createStateTree((path) => pages.get(path), 1_000),
    seen: createSeenIds(),
  }
  const store = ({ changes, pages: writes }: { readonly changes: readonly StateChange[]; readonly pages: readonly PageWrite[] }): void => {
    for (const { key, value } of changes) if (value === undefined) values.delete(key)
    else values.set(key, value)
    for (const { path, page } of writes) if (page === undefined) pages.delete(path)
    else pages.set(path, page)
  }

  const overlay = createOverlay(state.source, state.cache)
  overlay.put(parametersTable, ['current'], parameters)
  putSet(overlay, 0, { activation: epoch.activation, scheduledAtHeight: 0 as Height, validators: validators.validators.map((one) => ({ ...one, addresses: [] })), minimums: validators.minimums })
  overlay.put(windowTable, ['all'], 64)
  setup?.(overlay, { chain: chainId, height: 0 as Height, timeMs: startMs as TimeMs })
  const changes = overlay.changes()
  const firstPages = state.tree.update(changes.map(({ key, value }) => ({ keyHash: keyHashOf(key), valueHash: value === undefined ? undefined : sha256(value) })))
  overlay.retain()
  store({ changes, pages: firstPages })

  const blocks: StoredResult[] = []
  const heights = new Map<string, Height>()
  const places = new Map<string, { readonly ready: ReadyTransaction; readonly receipt: Receipt }>()
  const byDid = new Map<string, TransactionId[]>()
  const bodies = new Map<string, Uint8Array>()
  const listeners = new Set<(height: Height) => void>()
  const waiters = new Map<string, Set<(receipt: Receipt) => void>>()
  let status: Partial<NodeStatus> = {}
  let oldest = 1
  let holding = false
  let skippedMs = 0
  let held: ReadyTransaction[] = []

  const head = (): { height: Height; hash: Hash; timeMs: TimeMs } => {
    const last = blocks.at(-1)
    if (last === undefined) return { height: 0 as Height, hash: genesisHash, timeMs: startMs as TimeMs }
    return { height: last.block.header.height, hash: last.block.hash, timeMs: last.block.header.timeMs }
  }

  const admit = (encoded: Uint8Array): ReadyTransaction => {
    const transaction = decodeTransaction(encoded)
    if (transaction.chain !== chainId) throw new DongbaekError('tx/wrong-chain', 'made for another chain', { chain: chainId })
    const ready = readyTransaction(transaction)
    for (const check of signatureChecks(transaction)) if (!verifySigned(check)) throw new DongbaekError('tx/signature-invalid', 'a signature does not verify')
    return ready
  }

  const make = (ready: readonly ReadyTransaction[]): readonly Receipt[] => {
    const before = head()
    const header: BlockHeader = {
      chain: chainId,
      height: (before.height + 1) as Height,
      parent: before.hash,
      timeMs: (before.timeMs + seconds + skippedMs) as TimeMs,
      proposer: before.height % pairs.length,
      payload: merkleRoot(ready.map(({ transaction }) => transaction.reference)),
      payloadCount: ready.length,
    }
    skippedMs = 0
    const hash = blockHash(header)
    const executed = executeBlock(state, { chain: chainId, height: header.height, hash, timeMs: header.timeMs, transactions: ready })
    store(executed)
    const signers = [0, 1, 2]
    const voted = voteBytes('commit', chainId, 0 as View, header.height, hash)
    const certificate: SlotCertificate = { view: 0 as View, height: header.height, blockHash: hash, signatures: signers.map((validator) => ({ validator, signature: sign(voted, pairs[validator]!) })) }
    const content = { height: header.height, blockHash: hash, stateRoot: executed.stateRoot, nextSet: epochHash(epoch) }
    const certified = checkpointBytes(chainId, content)
    const checkpoint: CheckpointCertificate = { content, signatures: signers.map((validator) => ({ validator, signature: sign(certified, pairs[validator]!) })) }
    const block: StoredBlock = { hash, header, certificate, ids: ready.map(({ transaction }) => transaction.id), transactions: () => ready.map(({ transaction }) => transaction) }
    blocks.push({ block, executed, checkpoint })
    heights.set(toBase64url(hash), header.height)
    executed.receipts.forEach((receipt, i) => {
      const { transaction } = ready[i]!
      const id = toBase64url(receipt.id)
      if (places.has(id)) return
      places.set(id, { ready: ready[i]!, receipt })
      for (const { signer } of transaction.signatures) byDid.set(signer, [...(byDid.get(signer) ?? []), transaction.id])
      for (const tell of waiters.get(id) ?? []) tell(receipt)
      waiters.delete(id)
    })
    for (const listener of [...listeners]) listener(header.height)
    return executed.receipts
  }

  const backend: Backend = {
    chainId,
    genesisHash,
    genesis,
    genesisBytes: utf8('memory'),
    status: () => ({
      version: '0.0.0',
      chainId,
      genesisHash: toBase64url(genesisHash),
      name: 'memory',
      role: 'observer',
      head: { height: head().height, hash: toBase64url(head().hash), timeMs: head().timeMs },
      view: 0,
      primary: 'validator-0',
      peers: 0,
      behind: { blocks: 0, ms: 0 },
      syncing: false,
      ready: true,
      mempool: { transactions: held.length, bytes: 0 },
      problems: [],
      ...status,
    }),
    peers: () => [{ name: 'validator-0', connected: true, sinceMs: startMs, bytesIn: 1, bytesOut: 2, dropped: 0 }],
    head,
    oldestHeight: () => oldest as Height,
    block: (height) => (height < oldest ? undefined : blocks[height - 1]?.block),
    heightOf: (hash) => heights.get(toBase64url(hash)),
    results: (height) => (height < oldest ? undefined : blocks[height - 1]?.executed),
    checkpoint: async (height) => (height === undefined ? blocks.at(-1) : blocks[Math.min(height, blocks.length) - 1])?.checkpoint,
    validators: (height) => (height !== undefined && height > head().height + 10 ? undefined : epoch),
    snapshots: () => [],
    scheduledSet: () => undefined,
    setChange: async () => undefined,
    evidence: () => [],
    transaction: (id) => {
      const place = places.get(toBase64url(id))
      return place === undefined ? undefined : { transaction: place.ready.transaction, receipt: place.receipt }
    },
    transactionsByDid: async (did, cursor, limit) => {
      const all = [...(byDid.get(did) ?? [])].reverse()
      const from = cursor === undefined ? 0 : Number(cursor)
      const items = all.slice(from, from + limit)
      return { items, next: from + limit < all.length ? String(from + limit) : undefined }
    },
    submit: async (encoded) => {
      const ready = admit(encoded)
      const { id } = ready.transaction
      if (places.has(toBase64url(id)) || held.some(({ transaction }) => toBase64url(transaction.id) === toBase64url(id))) return id
      if (holding) held.push(ready)
      else make([ready])
      return id
    },
    waitReceipt: async (id, timeoutMs, signal) => {
      const key = toBase64url(id)
      const known = places.get(key)
      if (known !== undefined) return known.receipt
      return new Promise<Receipt | undefined>((resolve) => {
        const tell = waiters.get(key) ?? new Set()
        waiters.set(key, tell)
        const end = (receipt?: Receipt): void => {
          clearTimeout(timer)
          tell.delete(end)
          resolve(receipt)
        }
        const timer = setTimeout(end, timeoutMs)
        tell.add(end)
        signal.addEventListener('abort', () => end())
      })
    },
    simulate: async (encoded) => simulateTransaction(state, { chain: chainId, height: (head().height + 1) as Height, timeMs: (head().timeMs + seconds) as TimeMs }, admit(encoded)),
    query: async (read) => {
      const view = createQueryView({
        get: (key) => values.get(key),
        scan: async (prefix, after, limit) =>
          [...values]
            .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .slice(0, limit),
      })
      return read(view, { chain: chainId, height: head().height, timeMs: head().timeMs })
    },
    prove: async (keys) => {
      const last = blocks.at(-1)
      if (last === undefined) throw new DongbaekError('node/not-certified', 'nothing is certified yet')
      const { content } = last.checkpoint
      return { height: content.height, stateRoot: content.stateRoot, checkpoint: last.checkpoint, entries: keys.map((key) => ({ key, value: values.get(key), proof: state.tree.prove(keyHashOf(key)) })) }
    },
    onBlock: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    putBody: async (body) => {
      const hash = sha256(body) as Hash
      bodies.set(toBase64url(hash), body)
      return hash
    },
    getBody: async (hash) => bodies.get(toBase64url(hash)),
    metrics: async () => '# TYPE dongbaek_up gauge\ndongbaek_up 1\n',
  }

  return {
    backend,
    chainId,
    validators,
    pairs,
    timeMs: () => head().timeMs,
    block: (encoded) => {
      const ready = [...held, ...encoded.map(admit)]
      held = []
      return make(ready)
    },
    set: ({ oldestHeight, ...changed }) => {
      if (oldestHeight !== undefined) oldest = oldestHeight
      status = { ...status, ...changed }
    },
    skip: (ms) => {
      skippedMs += ms
    },
    hold: (hold) => {
      holding = hold
    },
  }
}
