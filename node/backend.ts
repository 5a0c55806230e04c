// What the RPC sees of the node (rpc/backend.ts), read from the chain store and the parts that live.
import type { CheckpointCertificate } from '../consensus/certificate.ts'
import type { Epoch } from '../consensus/validators.ts'
import type { Hash, Height, TransactionId } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { blockBytesMax } from '../primitives/limits.ts'
import type { JsonObject } from '../primitives/schema.ts'
import type { Backend, CertifiedProof, NodeStatus, PeerStatus } from '../rpc/backend.ts'
import { type State, simulateTransaction } from '../state/execute.ts'
import { keyHashOf } from '../state/proof.ts'
import { blockOutcomeSchema, type Receipt, receiptSchema } from '../state/receipt.ts'
import { decodeTransaction } from '../state/transaction.ts'
import { createQueryView, createValueCache } from '../state/view.ts'
import { type Genesis, genesisHash, genesisSchema, genesisToJson } from '../genesis/genesis.ts'
import type { Admission } from './admission.ts'
import type { Bodies } from './bodies.ts'
import type { ChainStore } from './chain-store.ts'
import type { Door } from './door.ts'
import { certificateWaitMs, simulationEntriesMax } from './limits.ts'
import type { Waiters } from './waiters.ts'
import type { Clock } from './world.ts'

export interface BackendContext {
  readonly chainId: string
  readonly genesis: Genesis
  readonly store: ChainStore
  readonly state: State
  readonly admission: Admission
  readonly door: Door
  readonly bodies: Bodies
  readonly waiters: Waiters
  readonly clock: Clock
  readonly status: () => NodeStatus
  readonly peers: () => readonly PeerStatus[]
  readonly validators: (height: Height) => Epoch | undefined
  readonly scheduledSet: () => Epoch | undefined
  /** By number, that of the genesis first. */
  readonly epochs: () => readonly Epoch[]
  readonly setCertificate: (number: number) => Promise<CheckpointCertificate | undefined>
  readonly evidence: () => readonly JsonObject[]
  readonly snapshots: Backend['snapshots']
  readonly spread: (envelope: Uint8Array) => void
  readonly spreadBody: (body: Uint8Array) => void
  readonly metrics: () => Promise<string>
  readonly onCheckpoint: (certificate: CheckpointCertificate) => void
}

export interface NodeBackend extends Backend {
  readonly blockStored: (height: Height) => void
  readonly checkpointStored: (certificate: CheckpointCertificate) => void
}

export function createBackend(context: BackendContext): NodeBackend {
  const { chainId, genesis, store, state, admission, bodies, waiters, clock } = context
  const listeners = new Set<(height: Height) => void>()
  const certificateListeners = new Set<(certificate: CheckpointCertificate) => void>()
  const genesisJson = genesisToJson(genesis)
  const genesisBytes = encode(genesisSchema, genesis)

  const receiptOf = (id: TransactionId): Receipt | undefined => {
    const place = store.placeOf(id)
    const encoded = place === undefined ? undefined : store.results(place.height)?.[place.index + 1]
    return encoded === undefined ? undefined : decode(receiptSchema, encoded, blockBytesMax)
  }

  /**
   * Proofs of the head, and of each later height that will be certified, until the certificate of one of them is here: under load only every
   * so-many-th height is certified, and the head has moved on by the time its certificate comes.
   */
  const proveCertified = (keys: readonly string[]): Promise<CertifiedProof> =>
    new Promise((resolve, reject) => {
      const taken = new Map<Height, CertifiedProof['entries']>()
      const take = (): void => {
        const head = store.head()
        // the tree is ahead while a block is being stored; nothing runs between these reads, so all are of one height
        if (equalBytes(state.tree.root(), head.stateRoot)) taken.set(head.height, keys.map((key) => ({ key, value: store.stateValue(key), proof: state.tree.prove(keyHashOf(key)) })))
      }
      const end = (): void => {
        cancel()
        listeners.delete(onBlock)
        certificateListeners.delete(onCertificate)
      }
      const onCertificate = (checkpoint: CheckpointCertificate): void => {
        const { height, stateRoot } = checkpoint.content
        // an idle chain is certified at its head, whatever its height
        if (height === store.head().height && !taken.has(height)) take()
        const entries = taken.get(height)
        if (entries === undefined) return
        end()
        resolve({ height, stateRoot, checkpoint, entries })
      }
      const onBlock = (height: Height): void => {
        if (height % genesis.consensus.checkpointInterval === 0 || taken.size === 0) take()
      }
      const cancel = clock.after(certificateWaitMs, () => {
        end()
        reject(new DongbaekError('node/not-certified', 'the last state is not certified yet: ask again in a second; if it stays so, node_status says what is waited for'))
      })
      listeners.add(onBlock)
      certificateListeners.add(onCertificate)
      take()
      const known = store.checkpoint(store.head().height)
      if (known !== undefined) onCertificate(known)
    })

  return {
    chainId,
    genesisHash: genesisHash(genesis),
    genesis: genesisJson,
    genesisBytes,
    status: context.status,
    peers: context.peers,
    head: store.head,
    oldestHeight: store.oldest,
    block: (height) => {
      const row = store.block(height)
      if (row === undefined) return undefined
      const transactions = (): ReturnType<typeof decodeTransaction>[] => (store.payload(height) ?? []).map(decodeTransaction)
      return {
        hash: row.certificate.blockHash,
        header: row.header,
        get ids() {
          return (store.results(height) ?? []).slice(1).map((encoded) => decode(receiptSchema, encoded, blockBytesMax).id)
        },
        certificate: row.certificate,
        transactions,
      }
    },
    heightOf: store.heightOf,
    results: (height) => {
      const leaves = store.results(height)
      if (leaves === undefined) return undefined
      const [outcome, ...receipts] = leaves
      return { outcome: decode(blockOutcomeSchema, outcome as Uint8Array, blockBytesMax), receipts: receipts.map((encoded) => decode(receiptSchema, encoded, blockBytesMax)) }
    },
    checkpoint: (height) => store.checkpointAtOrBelow(height ?? store.head().height),
    validators: (height) => context.validators(height ?? ((store.head().height + 1) as Height)),
    scheduledSet: context.scheduledSet,
    setChange: async (number) => {
      const epoch = context.epochs()[number]
      if (number < 1 || epoch === undefined) return undefined
      const checkpoint = await context.setCertificate(number)
      return { epoch, ...(checkpoint === undefined ? {} : { checkpoint }) }
    },
    evidence: context.evidence,
    snapshots: context.snapshots,
    transaction: (id) => {
      const place = store.placeOf(id)
      const receipt = receiptOf(id)
      const envelope = place === undefined ? undefined : store.payload(place.height)?.[place.index]
      return receipt === undefined || envelope === undefined ? undefined : { transaction: decodeTransaction(envelope), receipt }
    },
    transactionsByDid: store.idsOf,
    submit: async (encoded) => {
      const { id, added } = await admission.admit(encoded, context.door.pass)
      if (added !== undefined) context.spread(added.transaction.bytes)
      return id
    },
    waitReceipt: async (id, timeoutMs, signal) => receiptOf(id) ?? waiters.wait(id, timeoutMs, signal),
    simulate: async (encoded) => {
      const ready = await admission.check(encoded)
      // with a cache of its own: the executor's may be one block ahead of the store
      return store.query(async (head, source) => {
        const block = { chain: chainId, height: (head.height + 1) as Height, timeMs: Math.max(clock.now(), head.timeMs + 1) as typeof head.timeMs }
        return simulateTransaction({ ...state, source, cache: createValueCache(simulationEntriesMax) }, block, ready)
      })
    },
    query: (read) => store.query(async (head, source) => read(createQueryView(source), { chain: chainId, height: head.height, timeMs: head.timeMs })),
    prove: proveCertified,
    onBlock: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    putBody: async (body) => {
      const hash: Hash = await bodies.put(body)
      context.spreadBody(body)
      return hash
    },
    getBody: async (hash) => bodies.get(hash),
    metrics: context.metrics,
    blockStored: (height) => {
      context.door.blockStored()
      for (const listener of [...listeners]) listener(height)
    },
    checkpointStored: (certificate) => {
      context.onCheckpoint(certificate)
      for (const hear of [...certificateListeners]) hear(certificate)
    },
  }
}
