// Keys of a citizen, an officer, a machine. What signs is behind an interface, so that a phone's secure hardware can do it.
import type { Did } from '../../primitives/brand.ts'
import { keyPairFromSeed, seedBytes, sign } from '../../primitives/ed25519.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { type DidKey, didOf, relationshipNames } from '../../state/did/types.ts'
import { multikeyOf } from '../../state/transaction.ts'
import { compressPoint, p256Signature } from './hardware.ts'
import { randomBytes } from './platform.ts'

/** Signs for a DID with one of its authentication keys. */
export interface Signer {
  readonly did: Did
  /** Multikey: 0xed01 and the raw Ed25519 key, or 0x8024 and the compressed P-256 point. */
  readonly key: Uint8Array
  /** 64 bytes, as the key's rule has them; p256Signature makes them of what secure hardware gives. */
  readonly sign: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>
}

export interface Wallet extends Signer {
  /** The first key of the DID as did.register takes it. */
  readonly didKey: DidKey
}

/** The wallet of a 32-byte seed: its key pair, and the DID that this one key makes. `of` gives the DID that the key was added to later instead. */
export function walletFromSeed(seed: Uint8Array, of?: Did): Wallet {
  if (seed.length !== seedBytes) throw new DongbaekError('client/seed', `a seed has ${seedBytes} bytes`, { bytes: seed.length })
  const pair = keyPairFromSeed(seed)
  const key = multikeyOf(pair.publicKey)
  const didKey: DidKey = { key, relationships: relationshipNames.filter((name) => name !== 'keyAgreement') }
  return { did: of ?? didOf([didKey]), key, didKey, sign: (bytes) => sign(bytes, pair) }
}

/**
 * A signer whose P-256 key stays in secure hardware. `publicKey` is the point, compressed or not; `signSha256` hashes the bytes and signs the hash, and answers in DER or
 * as r ‖ s with any s. `of` gives the DID that the key was added to; left out, it is the DID that this one key makes.
 * Throws `client/key` when the point has another form.
 */
export function hardwareWallet(publicKey: Uint8Array, signSha256: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>, of?: Did): Wallet {
  const key = multikeyOf(compressPoint(publicKey), 'p256')
  const didKey: DidKey = { key, relationships: relationshipNames.filter((name) => name !== 'keyAgreement') }
  return { did: of ?? didOf([didKey]), key, didKey, sign: async (bytes) => p256Signature(await signSha256(bytes)) }
}

export function randomSeed(): Uint8Array {
  return randomBytes(seedBytes)
}
