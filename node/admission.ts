// Admission: the one way of a transaction into the mempool, whether from RPC or from a peer. Cheap checks come first;
// what is known already costs one hash and no signature check. Signatures of transactions that arrive together are checked in one batch.
import type { Hash, TransactionId } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { transactionBytesMax } from '../primitives/limits.ts'
import type { SignedItem } from '../primitives/signature.ts'
import { type ReadyTransaction, readyTransaction } from '../state/families.ts'
import type { Seen } from '../state/seen.ts'
import { decodeReferenced, envelopeReference, signatureChecks } from '../state/transaction.ts'
import type { Mempool } from './mempool.ts'
import type { Clock, Verifier } from './world.ts'

export interface Admission {
  /**
   * Checks an encoded transaction and takes it. Resolves to its id, also when it is pending or has run already.
   * `door` is asked last, once the signatures hold. Rejects with DongbaekError: `codec/…`, `tx/…`, `mempool/…`, `verifier/…`.
   */
  readonly admit: (encoded: Uint8Array, door?: (ready: ReadyTransaction) => Promise<void>) => Promise<Admitted>
  /** Decodes and checks without taking it. */
  readonly check: (encoded: Uint8Array) => Promise<ReadyTransaction>
  /** Whether the signatures of the envelope with this reference, in base64url, are being checked now. */
  readonly isChecking: (key: string) => boolean
}

export interface Admitted {
  readonly id: TransactionId
  /** Undefined when it was known before. */
  readonly added: ReadyTransaction | undefined
}

export interface AdmissionContext {
  readonly chainId: string
  readonly mempool: Mempool
  readonly verifier: Verifier
  readonly clock: Clock
  /** True when a transaction with this id has run and could run again by its time. */
  readonly hasRun: (transaction: Seen) => boolean
  /** How far ahead of now `validUntilMs` may lie, in ms. */
  readonly validityMsMax: () => number
  /** A transaction has come into the mempool. */
  readonly onAdded: (ready: ReadyTransaction) => void
}

/** One transaction whose signatures are being checked, together with others. */
interface Check {
  readonly ready: ReadyTransaction
  readonly batch: Batch
  /** Where its own begin among the batch's. */
  readonly from: number
}

interface Batch {
  readonly items: SignedItem[]
  /** In `checking`, until the verdicts are there. */
  readonly keys: string[]
  readonly verdicts: Promise<readonly boolean[]>
}

export function createAdmission({ chainId, mempool, verifier, clock, hasRun, validityMsMax, onAdded }: AdmissionContext): Admission {
  // by reference, so that copies from several peers share one check; the door is for each copy's own
  const checking = new Map<string, Check>()
  /** What is checked together: all that comes within one turn of the event loop. */
  let gathering: Batch | undefined

  const read = (encoded: Uint8Array, reference: Hash): ReadyTransaction => {
    const transaction = decodeReferenced(encoded, reference)
    if (transaction.chain !== chainId) throw new DongbaekError('tx/wrong-chain', `the transaction is for ${transaction.chain}, this is ${chainId}`, { chain: chainId })
    const nowMs = clock.now()
    if (transaction.validUntilMs < nowMs) throw new DongbaekError('tx/expired', 'validUntilMs has passed: make a new transaction', { validUntilMs: transaction.validUntilMs, nowMs })
    const latestMs = nowMs + validityMsMax()
    if (transaction.validUntilMs > latestMs) throw new DongbaekError('tx/valid-until-too-far', `validUntilMs lies further ahead than the chain allows: use at most ${latestMs}`, { latestMs })
    return readyTransaction(transaction)
  }

  const gather = (): Batch => {
    const items: SignedItem[] = []
    const keys: string[] = []
    const verify = async (): Promise<readonly boolean[]> => {
      await new Promise<void>((resolve) => clock.soon(resolve))
      gathering = undefined
      try {
        return await verifier.verifyBatch(items)
      } finally {
        for (const key of keys) checking.delete(key)
      }
    }
    return { items, keys, verdicts: verify() }
  }

  const begin = (ready: ReadyTransaction): Check => {
    gathering ??= gather()
    const from = gathering.items.length
    gathering.items.push(...signatureChecks(ready.transaction))
    return { ready, batch: gathering, from }
  }

  const verified = async ({ ready, batch, from }: Check): Promise<ReadyTransaction> => {
    const verdicts = await batch.verdicts
    const bad = ready.transaction.signatures.find((_, i) => verdicts[from + i] !== true)
    if (bad !== undefined) throw new DongbaekError('tx/signature-invalid', `the signature of ${bad.signer} does not verify under the key it names`, { signer: bad.signer })
    return ready
  }

  return {
    isChecking: (key) => checking.has(key),
    check: async (encoded) => verified(begin(read(encoded, envelopeReference(encoded)))),
    admit: async (encoded, door) => {
      if (encoded.length > transactionBytesMax) throw new DongbaekError('codec/too-large', `a transaction has at most ${transactionBytesMax} bytes`, { bytes: encoded.length, bytesMax: transactionBytesMax })
      const reference = envelopeReference(encoded)
      const key = toBase64url(reference)
      const pending = mempool.byReference(key)
      if (pending !== undefined) return { id: pending.transaction.id, added: undefined }
      let check = checking.get(key)
      if (check === undefined) {
        const fresh = read(encoded, reference)
        const { id } = fresh.transaction
        if (mempool.hasId(id) || hasRun(fresh.transaction)) return { id, added: undefined }
        check = begin(fresh)
        check.batch.keys.push(key)
        checking.set(key, check)
      }
      const ready = await verified(check)
      const { id } = ready.transaction
      if (door !== undefined && !hasRun(ready.transaction)) await door(ready)
      if (hasRun(ready.transaction) || !mempool.add(ready, clock.monotonic())) return { id, added: undefined }
      onAdded(ready)
      return { id, added: ready }
    },
  }
}
