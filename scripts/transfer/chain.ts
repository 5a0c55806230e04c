// A chain made without a network: blocks of registrations executed by the node's own parts and stored as a node stores them, with the certificates that a quorum of the
// validators' keys signs. The signatures of the transactions are left blank: who follows final blocks does not check them again, since the quorum has.
import { join } from 'node:path'
import type { BlockHeader } from '../../consensus/block.ts'
import { blockHash } from '../../consensus/block.ts'
import type { CheckpointCertificate, SignatureEntry } from '../../consensus/certificate.ts'
import { epochHash } from '../../consensus/validators.ts'
import { checkpointBytes, voteBytes } from '../../consensus/votes.ts'
import { chainIdOf, type Genesis, validatorSetOf } from '../../genesis/genesis.ts'
import { silentLog } from '../../node/log.ts'
import { openChain } from '../../node/open-chain.ts'
import { payloadRoot } from '../../node/payloads.ts'
import { makeSnapshot } from '../../node/snapshot-make.ts'
import { infoOf, snapshotFolder } from '../../node/snapshots.ts'
import { openStore } from '../../node/store.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { concatBytes, utf8 } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { SnapshotInfo } from '../../rpc/backend.ts'
import { didOf, registerPayload } from '../../state/did/types.ts'
import { executeBlock } from '../../state/execute.ts'
import { readyTransaction, type ReadyTransaction } from '../../state/families.ts'
import { decodeTransaction, encodeBody, encodeTransaction, envelopeVersion, multikeyOf } from '../../state/transaction.ts'

export interface BuildChain {
  readonly dataDir: string
  readonly genesis: Genesis
  /** Of the validators, in the order of the genesis. */
  readonly seeds: readonly Uint8Array[]
  readonly registrarSeed: Uint8Array
  readonly accounts: number
  readonly blocks: number
  /** From one block to the next; all lie in the past. */
  readonly stepMs: number
  /** Makes a snapshot of this height. */
  readonly snapshotAt: number
  readonly onProgress: (blocks: number) => void
}

export interface BuiltChain {
  readonly snapshot: SnapshotInfo
  readonly snapshotMs: number
  readonly buildMs: number
}

const cacheMiB = 512
const blank = new Uint8Array(64)

export async function buildChain({ dataDir, genesis, seeds, registrarSeed, accounts, blocks, stepMs, snapshotAt, onProgress }: BuildChain): Promise<BuiltChain> {
  const startMs = performance.now()
  const chainId = chainIdOf(genesis)
  const set = validatorSetOf(genesis)
  const nextSet = epochHash({ activation: 1 as Height, set })
  const pairs = seeds.map(keyPairFromSeed)
  const registration = registrations(chainId, registrarSeed)
  const database = await openStore({ folder: join(dataDir, 'store'), chainId })
  const { store, state } = await openChain(database, genesis, cacheMiB, silentLog)
  // all but the last: a quorum of four
  const signedBy = (bytes: Uint8Array): readonly SignatureEntry[] => pairs.slice(0, Math.max(1, pairs.length - 1)).map((pair, validator) => ({ validator, signature: sign(bytes, pair) }))
  const certify = async (height: Height, hash: Hash, stateRoot: Hash): Promise<CheckpointCertificate> => {
    const content = { height, blockHash: hash, stateRoot, nextSet }
    const certificate = { content, signatures: signedBy(checkpointBytes(chainId, content)) }
    await store.putCheckpoint(certificate)
    return certificate
  }
  let made = 0
  let snapshot: SnapshotInfo | undefined
  let snapshotMs = 0
  try {
    for (let height = 1 as Height; height <= blocks; height = (height + 1) as Height) {
      const { hash: parent, timeMs: parentMs } = store.head()
      const timeMs = (parentMs + stepMs) as TimeMs
      const until = Math.max(made + 1, Math.round((accounts * height) / blocks))
      const transactions = Array.from({ length: until - made }, (_, i) => registration(made + i, (timeMs + 60_000) as TimeMs))
      made = until
      const references = transactions.map(({ transaction }) => transaction.reference)
      const header: BlockHeader = { chain: chainId, height, parent, timeMs, proposer: 0, payload: payloadRoot(references), payloadCount: references.length }
      const hash = blockHash(header)
      const executed = executeBlock(state, { chain: chainId, height, hash, timeMs, transactions })
      if (executed.receipts.some(({ status }) => status !== 'ok')) throw new Error(`a registration of block ${height} was refused: ${executed.receipts[0]?.code}`)
      const certificate = { view: 0 as View, height, blockHash: hash, signatures: signedBy(voteBytes('commit', chainId, 0 as View, height, hash)) }
      await store.putBlock({ decision: { header, certificate }, references, transactions: transactions.map(({ transaction }) => transaction) }, executed)
      if (height % genesis.consensus.checkpointInterval !== 0 && height !== blocks && height !== snapshotAt) continue
      const checkpoint = await certify(height, hash, executed.stateRoot)
      onProgress(height)
      if (height !== snapshotAt) continue
      const folder = snapshotFolder(dataDir, height)
      const past = store.pastState()
      const beganMs = performance.now()
      snapshot = infoOf(folder, await makeSnapshot({ state: past, certificate: checkpoint, folder, rest: async () => {} }))
      snapshotMs = performance.now() - beganMs
      past.close()
    }
    await store.sync()
  } finally {
    await database.close()
  }
  if (snapshot === undefined) throw new Error('the chain ended before the height of its snapshot')
  return { snapshot, snapshotMs, buildMs: performance.now() - startMs - snapshotMs }
}

/** The i-th citizen of the chain; its key is no key of anybody. */
function registrations(chain: string, registrarSeed: Uint8Array): (i: number, validUntilMs: TimeMs) => ReadyTransaction {
  const registrarKey = multikeyOf(keyPairFromSeed(registrarSeed).publicKey)
  const registrar = { did: didOf([{ key: registrarKey, relationships: ['authentication', 'assertionMethod'] }]), key: registrarKey }
  return (i, validUntilMs) => {
    const key = multikeyOf(sha256(concatBytes(utf8('citizen '), utf8(String(i)))))
    const keys = [{ key, relationships: ['authentication' as const, 'assertionMethod' as const] }]
    const did = didOf(keys)
    const signers = [{ did, key }, registrar]
    const body = encodeBody({ version: envelopeVersion, chain, kind: 'did.register', signers, validUntilMs, salt: sha256(key).subarray(0, 16), payload: encode(registerPayload, { keys, services: [] }) })
    return readyTransaction(decodeTransaction(encodeTransaction(body, [blank, blank])))
  }
}
