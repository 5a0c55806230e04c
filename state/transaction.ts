// The envelope of every transaction (docs/protocol.md, transactions). The wire form is [body, signatures], where body is the
// encoded signed part: its hash is the id, and its bytes are what the keys sign, so neither is ever encoded twice. The body names who signs and by which
// key, so nobody can use up an id by putting other keys, or fewer, under somebody's body: with one id there is one effect.
import type { Did, Hash, TransactionId } from '../primitives/brand.ts'
import { concatBytes, equalBytes } from '../primitives/bytes.ts'
import { decodeInPlace, encode } from '../primitives/codec.ts'
import { assert, DongbaekError } from '../primitives/errors.ts'
import { domain, taggedHash } from '../primitives/hash.ts'
import { transactionBytesMax, transactionSignaturesMax } from '../primitives/limits.ts'
import { bytes, did, type Infer, integer, list, record, refine, timeMs, token } from '../primitives/schema.ts'
import { type Algorithm, algorithms, publicKeyBytesOf, type SignedItem } from '../primitives/signature.ts'

export const envelopeVersion = 1
export const saltBytes = 16

/** `<network name>-<first 16 hex digits of the genesis hash>`: a transaction of one chain is never valid on another. */
export const chainIdSchema = token(/[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{16}/, 64, 'a chain id such as busan-0123456789abcdef')

/** The multicodecs (ed25519-pub, p256-pub) as unsigned varints. */
const multikeyPrefixes: Readonly<Record<Algorithm, Uint8Array>> = { ed25519: Uint8Array.of(0xed, 0x01), p256: Uint8Array.of(0x80, 0x24) }
const prefixBytes = 2

/** Of a Multikey; undefined when it is none that signs. */
export function algorithmOf(multikey: Uint8Array): Algorithm | undefined {
  return algorithms.find((algorithm) => multikey.length === prefixBytes + publicKeyBytesOf[algorithm] && equalBytes(multikey.subarray(0, prefixBytes), multikeyPrefixes[algorithm]))
}

/** A Multikey that signs: the multicodec prefix of the key type and the raw key. Ed25519 is 0xed01 and 32 bytes, P-256 0x8024 and a compressed point of 33. */
export const multikey = refine(bytes(34, 35), (value) => (algorithmOf(value) === undefined ? 'a Multikey of Ed25519 (0xed01 and 32 bytes) or P-256 (0x8024 and 33 bytes)' : undefined))

export const signerSchema = record({ did, key: multikey })
/** A DID and the key by which it signs. */
export type SignerKey = Infer<typeof signerSchema>

export const bodySchema = record({
  version: integer(envelopeVersion, envelopeVersion),
  chain: chainIdSchema,
  kind: token(/[a-z]+\.[a-zA-Z]+/, 40, 'a kind such as points.spend'),
  /** The sender, then the countersigners in ascending order. */
  signers: list(signerSchema, 1, transactionSignaturesMax),
  /** The last block time at which it may run. */
  validUntilMs: timeMs,
  /** Random, so that two equal requests have two ids. */
  salt: bytes(saltBytes, saltBytes),
  /** The payload, encoded by the schema of its kind. */
  payload: bytes(1, transactionBytesMax),
})
export type TransactionBody = Infer<typeof bodySchema>

/** As transactions are shown: the sender's first. */
export const signatureSchema = record({ signer: did, key: multikey, signature: bytes(64, 64) })
export type TransactionSignature = Infer<typeof signatureSchema>

/** The signatures, in the order of the body's signers. */
const envelopeSchema = record({ body: bytes(1, transactionBytesMax), signatures: list(bytes(64, 64), 1, transactionSignaturesMax) })

/** A decoded transaction whose signatures have not been checked. */
export interface Transaction extends Omit<TransactionBody, 'signers'> {
  readonly id: TransactionId
  readonly sender: Did
  readonly reference: Hash
  readonly signatures: readonly TransactionSignature[]
  /** The canonical bytes it was decoded from; all other byte strings of it but the id and the reference are views of these. */
  readonly bytes: Uint8Array
  /** The encoded body, which the signatures are over (transactionSignedBytes). */
  readonly body: Uint8Array
}

export function multikeyOf(publicKey: Uint8Array, algorithm: Algorithm = 'ed25519'): Uint8Array {
  return concatBytes(multikeyPrefixes[algorithm], publicKey)
}

/** What to check for a signature by a key that fits the schema `multikey`. */
export function signedItem(key: Uint8Array, message: Uint8Array, signature: Uint8Array): SignedItem {
  const algorithm = algorithmOf(key)
  assert(algorithm !== undefined, 'a Multikey by its schema')
  return { algorithm, publicKey: key.subarray(prefixBytes), message, signature }
}

export function transactionIdOf(body: Uint8Array): TransactionId {
  return taggedHash('transaction-id', body) as Uint8Array as TransactionId
}

/** Names one envelope, signatures included: what a block lists, so that every node keeps the same bytes (a key may sign one body in more than one way). */
export function envelopeReference(encoded: Uint8Array): Hash {
  return taggedHash('transaction-envelope', encoded)
}

/** The bytes to sign for a body. */
export function transactionSignedBytes(body: Uint8Array): Uint8Array {
  return concatBytes(domain('transaction'), body)
}

export function encodeBody(body: TransactionBody): Uint8Array {
  return encode(bodySchema, body)
}

export function encodeTransaction(body: Uint8Array, signatures: readonly Uint8Array[]): Uint8Array {
  return encode(envelopeSchema, { body, signatures })
}

/**
 * Decodes and checks the form: canonical, within bounds, a signature for each signer, the countersigners distinct and in ascending order after the sender.
 * The payload stays encoded; `readyTransaction` reads it by the schema of its kind. Throws `codec/…` or `tx/signers`.
 */
export function decodeTransaction(encoded: Uint8Array): Transaction {
  return decodeReferenced(encoded, envelopeReference(encoded))
}

/** decodeTransaction for whoever knows the reference of these bytes already. */
export function decodeReferenced(encoded: Uint8Array, reference: Hash): Transaction {
  const { body, signatures } = decodeInPlace(envelopeSchema, encoded, transactionBytesMax)
  const { signers, ...rest } = decodeInPlace(bodySchema, body, transactionBytesMax)
  if (signatures.length !== signers.length) throw new DongbaekError('tx/signers', `the body names ${signers.length} signers, and ${signatures.length} have signed`)
  const sender = (signers[0] as SignerKey).did
  const countersigners = signers.slice(1)
  if (countersigners.some(({ did }) => did === sender)) throw new DongbaekError('tx/signers', 'the sender signs once')
  if (countersigners.some(({ did }, i) => i > 0 && (countersigners[i - 1] as SignerKey).did >= did)) throw new DongbaekError('tx/signers', 'countersigners must be distinct and in ascending order')
  return {
    ...rest,
    sender,
    id: transactionIdOf(body),
    reference,
    signatures: signers.map(({ did, key }, i) => ({ signer: did, key, signature: signatures[i] as Uint8Array })),
    bytes: encoded,
    body,
  }
}

/** What a verifier must check before the transaction may be ordered. */
export function signatureChecks(transaction: Transaction): readonly SignedItem[] {
  const message = transactionSignedBytes(transaction.body)
  return transaction.signatures.map(({ key, signature }) => signedItem(key, message, signature))
}

