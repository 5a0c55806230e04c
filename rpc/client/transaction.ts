// Making a transaction: body, signatures, bytes. The bytes are all there is to keep: sending them again, anywhere, is the same transaction.
import type { Did, TimeMs, TransactionId } from '../../primitives/brand.ts'
import { encode } from '../../primitives/codec.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Schema } from '../../primitives/schema.ts'
import { encodeBody, encodeTransaction, envelopeVersion, saltBytes, transactionIdOf, transactionSignedBytes } from '../../state/transaction.ts'
import { type KindName, payloadSchemas, type PayloadOf } from './payloads.ts'
import { platform, randomBytes } from './platform.ts'
import type { Signer } from './wallet.ts'

export interface TransactionRequest<K extends KindName> {
  readonly chain: string
  readonly kind: K
  readonly sender: Did
  readonly payload: PayloadOf<K>
  /** The last block time at which it may run. Default: five minutes from now. */
  readonly validUntilMs?: number
  /** 16 random bytes by default; the same request with the same salt and time has the same id. */
  readonly salt?: Uint8Array
}

export interface UnsignedTransaction {
  readonly id: TransactionId
  readonly sender: Did
  readonly validUntilMs: number
  readonly body: Uint8Array
}

export interface SignedTransaction {
  readonly id: TransactionId
  readonly validUntilMs: number
  readonly bytes: Uint8Array
}

const validityMsDefault = 300_000

/** Throws `codec/invalid` with the path of what does not fit the kind's schema. */
export function buildTransaction<K extends KindName>(request: TransactionRequest<K>): UnsignedTransaction {
  const { chain, kind, sender, payload, validUntilMs = platform.Date.now() + validityMsDefault, salt = randomBytes(saltBytes) } = request
  const schema = payloadSchemas[kind] as unknown as Schema<PayloadOf<K>>
  const body = encodeBody({ version: envelopeVersion, chain, kind, sender, validUntilMs: validUntilMs as TimeMs, salt, payload: encode(schema, payload) })
  return { id: transactionIdOf(body), sender, validUntilMs, body }
}

/** Signs by the sender and, in whatever order they are given, the countersigners. Throws `tx/signers`. */
export async function signTransaction(unsigned: UnsignedTransaction, signers: readonly Signer[]): Promise<SignedTransaction> {
  const sender = signers.find(({ did }) => did === unsigned.sender)
  if (sender === undefined) throw new DongbaekError('tx/signers', 'the sender is not among the signers', { sender: unsigned.sender })
  const others = signers.filter((signer) => signer !== sender).sort((a, b) => (a.did < b.did ? -1 : 1))
  if (new Set(signers.map(({ did }) => did)).size !== signers.length) throw new DongbaekError('tx/signers', 'each DID signs once')
  const message = transactionSignedBytes(unsigned.body)
  const signatures = await Promise.all([sender, ...others].map(async (signer) => ({ signer: signer.did, key: signer.key, signature: await signer.sign(message) })))
  return { id: unsigned.id, validUntilMs: unsigned.validUntilMs, bytes: encodeTransaction(unsigned.body, signatures) }
}
