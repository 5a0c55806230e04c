// Keys for simulated validators. The cheap signer is a keyed hash that the world alone can check, so a run spends its time on schedules;
// some seeds use Ed25519 instead. A simulated liar signs with its own keys only.
import { concatBytes, equalBytes, toHex, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign as signEd25519, verify as verifyEd25519 } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { SignatureCheck } from '../../consensus/certificate.ts'

export interface SimulatedKey {
  readonly publicKey: Uint8Array
  readonly sign: (bytes: Uint8Array) => Uint8Array
}

export interface Keyring {
  readonly keys: readonly SimulatedKey[]
  readonly verify: (check: SignatureCheck) => boolean
}

const seedOf = (label: string): Uint8Array => sha256(utf8(label))

export function keyring(count: number, real: boolean): Keyring {
  if (real) {
    const pairs = Array.from({ length: count }, (_, i) => keyPairFromSeed(seedOf(`validator ${i}`)))
    return {
      keys: pairs.map((pair) => ({ publicKey: pair.publicKey, sign: (bytes) => signEd25519(bytes, pair) })),
      verify: ({ signature, bytes, publicKey }) => verifyEd25519(signature, bytes, publicKey),
    }
  }
  const secrets = new Map<string, Uint8Array>()
  const mac = (secret: Uint8Array, bytes: Uint8Array): Uint8Array => {
    const half = sha256(concatBytes(secret, bytes))
    return concatBytes(half, half)
  }
  const keys = Array.from({ length: count }, (_, i) => {
    const secret = seedOf(`secret ${i}`)
    const publicKey = seedOf(`public ${i}`)
    secrets.set(toHex(publicKey), secret)
    return { publicKey, sign: (bytes: Uint8Array) => mac(secret, bytes) }
  })
  return {
    keys,
    verify: ({ signature, bytes, publicKey }) => {
      const secret = secrets.get(toHex(publicKey))
      return secret !== undefined && equalBytes(signature, mac(secret, bytes))
    },
  }
}
