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

export function createAdmission({ chainId, mempool, verifier, clock, hasRun, validityMsMax, onAdded }: AdmissionContext): Admission {
  // envelopes that are being checked now, so that copies from several peers share one check; the door is for each copy's own
  const checking = new Map<string, Promise<ReadyTransaction>>()
  const verifySignatures = batched(verifier, clock)

  const read = (encoded: Uint8Array, reference: Hash): ReadyTransaction => {
    const transaction = decodeReferenced(encoded, reference)
    if (transaction.chain !== chainId) throw new DongbaekError('tx/wrong-chain', `the transaction is for ${transaction.chain}, this is ${chainId}`, { chain: chainId })
    const nowMs = clock.now()
    if (transaction.validUntilMs < nowMs) throw new DongbaekError('tx/expired', 'validUntilMs has passed: make a new transaction', { validUntilMs: transaction.validUntilMs, nowMs })
    const latestMs = nowMs + validityMsMax()
    if (transaction.validUntilMs > latestMs) throw new DongbaekError('tx/valid-until-too-far', `validUntilMs lies further ahead than the chain allows: use at most ${latestMs}`, { latestMs })
    return readyTransaction(transaction)
  }

  const verified = async (ready: ReadyTransaction): Promise<ReadyTransaction> => {
    const valid = await verifySignatures(signatureChecks(ready.transaction))
    const bad = valid.indexOf(false)
    if (bad >= 0) {
      const signer = ready.transaction.signatures[bad]?.signer ?? ''
      throw new DongbaekError('tx/signature-invalid', `the signature of ${signer} does not verify under the key it names`, { signer })
    }
    return ready
  }

  const take = async (ready: ReadyTransaction, door: (ready: ReadyTransaction) => Promise<void>): Promise<Admitted> => {
    const { id } = ready.transaction
    if (!hasRun(ready.transaction)) await door(ready)
    if (hasRun(ready.transaction) || !mempool.add(ready, clock.monotonic())) return { id, added: undefined }
    onAdded(ready)
    return { id, added: ready }
  }

  return {
    isChecking: (key) => checking.has(key),
    check: async (encoded) => verified(read(encoded, envelopeReference(encoded))),
    admit: async (encoded, door = async () => {}) => {
      if (encoded.length > transactionBytesMax) throw new DongbaekError('codec/too-large', `a transaction has at most ${transactionBytesMax} bytes`, { bytes: encoded.length, bytesMax: transactionBytesMax })
      const reference = envelopeReference(encoded)
      const key = toBase64url(reference)
      const pending = mempool.byReference(key)
      if (pending !== undefined) return { id: pending.transaction.id, added: undefined }
      let checked = checking.get(key)
      if (checked === undefined) {
        const ready = read(encoded, reference)
        const { id } = ready.transaction
        if (mempool.hasId(id) || hasRun(ready.transaction)) return { id, added: undefined }
        checked = verified(ready).finally(() => checking.delete(key))
        checking.set(key, checked)
      }
      return take(await checked, door)
    },
  }
}

/** Gathers the checks asked for within one turn of the event loop into one batch. */
function batched(verifier: Verifier, clock: Clock): (items: readonly SignedItem[]) => Promise<readonly boolean[]> {
  let items: SignedItem[] = []
  let verdicts: Promise<readonly boolean[]> | undefined
  const run = async (): Promise<readonly boolean[]> => {
    await new Promise<void>((resolve) => clock.soon(resolve))
    const batch = items
    items = []
    verdicts = undefined
    return verifier.verifyBatch(batch)
  }
  return async (own) => {
    const from = items.length
    items.push(...own)
    verdicts ??= run()
    return (await verdicts).slice(from, from + own.length)
  }
}
