// Making a transaction: body, signatures, bytes. The bytes are all there is to keep: sending them again, anywhere, is the same transaction.
import type { TimeMs, TransactionId } from '../../primitives/brand.ts'
import { equalBytes } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Schema } from '../../primitives/schema.ts'
import { encodeBody, encodeTransaction, envelopeVersion, saltBytes, type SignerKey, transactionIdOf, transactionSignedBytes } from '../../state/transaction.ts'
import { type KindName, payloadSchemas, type PayloadOf } from './payloads.ts'
import { platform, randomBytes } from './platform.ts'
import type { Signer } from './wallet.ts'

export interface TransactionRequest<K extends KindName> {
  readonly chain: string
  readonly kind: K
  /** Who sends it, by which key. A wallet is one. */
  readonly sender: SignerKey
  /** In any order. */
  readonly countersigners?: readonly SignerKey[]
  readonly payload: PayloadOf<K>
  /** The last block time at which it may run. Default: five minutes from now. */
  readonly validUntilMs?: number
  /** 16 random bytes by default; the same request with the same salt and time has the same id. */
  readonly salt?: Uint8Array
}

export interface UnsignedTransaction {
  readonly id: TransactionId
  /** Whose signatures it needs, in the order of the envelope. */
  readonly signers: readonly SignerKey[]
  readonly validUntilMs: number
  readonly body: Uint8Array
}

export interface SignedTransaction {
  readonly id: TransactionId
  readonly validUntilMs: number
  readonly bytes: Uint8Array
}

const validityMsDefault = 300_000

/** Throws `codec/invalid` with the path of what does not fit the kind's schema, and `tx/signers` when a DID is named twice. */
export function buildTransaction<K extends KindName>(request: TransactionRequest<K>): UnsignedTransaction {
  const { chain, kind, sender, countersigners = [], payload, validUntilMs = platform.Date.now() + validityMsDefault, salt = randomBytes(saltBytes) } = request
  const schema = payloadSchemas[kind] as unknown as Schema<PayloadOf<K>>
  const signers = [sender, ...[...countersigners].sort((a, b) => (a.did < b.did ? -1 : 1))].map(({ did, key }) => ({ did, key }))
  if (new Set(signers.map(({ did }) => did)).size !== signers.length) throw new DongbaekError('tx/signers', 'each DID signs once')
  const body = encodeBody({ version: envelopeVersion, chain, kind, signers, validUntilMs: validUntilMs as TimeMs, salt, payload: encode(schema, payload) })
  return { id: transactionIdOf(body), signers, validUntilMs, body }
}

/** Signs by those whom the body names; `wallets` in any order. Throws `tx/signers` when one is missing or has another key. */
export async function signTransaction(unsigned: UnsignedTransaction, wallets: readonly Signer[]): Promise<SignedTransaction> {
  const message = transactionSignedBytes(unsigned.body)
  const chosen = unsigned.signers.map(({ did, key }) => {
    const wallet = wallets.find((one) => one.did === did && equalBytes(one.key, key))
    if (wallet === undefined) throw new DongbaekError('tx/signers', `the body names ${did} as a signer, and no wallet given has its key`, { signer: did })
    return wallet
  })
  const signatures = await Promise.all(chosen.map(async (wallet) => wallet.sign(message)))
  return { id: unsigned.id, validUntilMs: unsigned.validUntilMs, bytes: encodeTransaction(unsigned.body, signatures) }
}
