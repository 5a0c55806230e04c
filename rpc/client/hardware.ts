// From the forms that secure hardware gives (Secure Enclave, Android StrongBox, WebCrypto, WebAuthn) to those of the chain's one rule for P-256.
import { concatBytes } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'

/** The order of the group. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const derBytesMax = 72

/** r ‖ s with low s, of r ‖ s or of DER (RFC 3279, section 2.2.3). Throws `client/signature` for anything else. */
export function p256Signature(signature: Uint8Array): Uint8Array {
  const [r, s] = signature.length === 64 ? [numberOf(signature.subarray(0, 32)), numberOf(signature.subarray(32))] : readDer(signature)
  if (r <= 0n || r >= order || s <= 0n || s >= order) throw new DongbaekError('client/signature', 'r or s of the signature is out of range')
  return concatBytes(bytesOf(r), bytesOf(s > order / 2n ? order - s : s))
}

/** The compressed point of 33 bytes, or of 65 uncompressed ones (SEC 1, section 2.3.3). Throws `client/key`. */
export function compressPoint(point: Uint8Array): Uint8Array {
  if (point.length === 33 && (point[0] === 2 || point[0] === 3)) return point
  if (point.length === 65 && point[0] === 4) return concatBytes(Uint8Array.of(2 + ((point[64] as number) & 1)), point.subarray(1, 33))
  throw new DongbaekError('client/key', 'a P-256 point has 33 bytes, compressed, or 65', { bytes: point.length })
}

function readDer(der: Uint8Array): readonly [bigint, bigint] {
  const fail = (): DongbaekError => new DongbaekError('client/signature', 'the signature is neither r ‖ s nor DER', { bytes: der.length })
  if (der.length > derBytesMax || der[0] !== 0x30 || der[1] !== der.length - 2) throw fail()
  const numbers: bigint[] = []
  let at = 2
  while (at < der.length) {
    const length = der[at + 1]
    if (der[at] !== 0x02 || length === undefined || length === 0 || length > 33 || at + 2 + length > der.length) throw fail()
    const bytes = der.subarray(at + 2, at + 2 + length)
    if (((bytes[0] as number) & 0x80) !== 0) throw fail()
    numbers.push(numberOf(bytes))
    at += 2 + length
  }
  const [r, s] = numbers
  if (r === undefined || s === undefined || numbers.length !== 2) throw fail()
  return [r, s]
}

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}

function bytesOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  for (let i = 31, left = value; i >= 0; i--, left >>= 8n) bytes[i] = Number(left & 0xffn)
  return bytes
}
