// Signed transactions and blocks of them, without a chain around: for tests of the parts that carry them.
import type { BlockHeader } from '../../consensus/block.ts'
import type { Hash, Height, TimeMs } from '../../primitives/brand.ts'
import { toBase64url, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import { encode } from '../../primitives/codec.ts'
import { payloadOf, payloadRoot, type Payload } from '../../node/payloads.ts'
import { post } from '../../state/community/post.ts'
import { didOf } from '../../state/did/types.ts'
import { type ReadyTransaction, readyTransaction } from '../../state/families.ts'
import { decodeTransaction, encodeBody, encodeTransaction, envelopeVersion, multikeyOf, transactionSignedBytes } from '../../state/transaction.ts'

export const testChain = 'test-0123456789abcdef'
export const testValidUntilMs = 1_780_000_600_000

export interface MakeTransaction {
  /** The sender; another `signer` signs in its name. */
  readonly sender?: string
  readonly signer?: string
  readonly validUntilMs?: number
}

/** The same arguments give the same transaction. */
export function makeTransaction(salt: string, { sender = 'sender', signer = sender, validUntilMs = testValidUntilMs }: MakeTransaction = {}): ReadyTransaction {
  const pair = (name: string): ReturnType<typeof keyPairFromSeed> => keyPairFromSeed(sha256(utf8(name)))
  const did = didOf([{ key: multikeyOf(pair(sender).publicKey), relationships: ['authentication', 'assertionMethod'] }])
  const body = encodeBody({
    version: envelopeVersion,
    chain: testChain,
    kind: 'community.post',
    signers: [{ did, key: multikeyOf(pair(signer).publicKey) }],
    validUntilMs: validUntilMs as TimeMs,
    salt: sha256(utf8(salt)).subarray(0, 16),
    payload: encode(post.payload, { livingArea: 'bosu', board: 'free', bodyHash: sha256(utf8(salt)) as Hash, bodyBytes: 1 } as never),
  })
  const signed = sign(transactionSignedBytes(body), pair(signer))
  return readyTransaction(decodeTransaction(encodeTransaction(body, [signed])))
}

export function makePayload(height: number, transactions: readonly ReadyTransaction[], changes: Partial<BlockHeader> = {}): Payload {
  const references = transactions.map(({ transaction }) => transaction.reference)
  const header: BlockHeader = {
    chain: testChain,
    height: height as Height,
    parent: sha256(utf8(`parent of ${height}`)) as Hash,
    timeMs: 1_780_000_000_000 as TimeMs,
    proposer: 0,
    payload: payloadRoot(references),
    payloadCount: references.length,
    ...changes,
  }
  return payloadOf(header, references, transactions)
}

export const idOf = ({ transaction }: ReadyTransaction): string => toBase64url(transaction.id)
