// Many signatures in one buffer that is handed to a worker and back without being copied:
//   count u32 · for each: message length u32 · algorithm u8 · verdict u8 … then for each: public key 32 or 33 · signature 64 · message
import { type Algorithm, algorithms, publicKeyBytesOf, signatureBytes, type SignedItem, verifySigned } from '../primitives/signature.ts'

const entryBytes = 6

/** Keys and signatures must have their lengths: the caller sorts out others. */
export function packParcel(items: readonly SignedItem[]): ArrayBuffer {
  let length = 4 + items.length * (entryBytes + signatureBytes)
  for (const { algorithm, message } of items) length += publicKeyBytesOf[algorithm] + message.length
  const buffer = new ArrayBuffer(length)
  const view = new DataView(buffer)
  const bytes = new Uint8Array(buffer)
  view.setUint32(0, items.length)
  let at = 4 + items.length * entryBytes
  items.forEach(({ algorithm, publicKey, message, signature }, i) => {
    view.setUint32(4 + i * entryBytes, message.length)
    bytes[4 + i * entryBytes + 4] = algorithms.indexOf(algorithm)
    for (const part of [publicKey, signature, message]) {
      bytes.set(part, at)
      at += part.length
    }
  })
  return buffer
}

/** Writes the verdicts into the parcel. */
export function verifyParcel(buffer: ArrayBuffer): void {
  const view = new DataView(buffer)
  const bytes = new Uint8Array(buffer)
  const count = view.getUint32(0)
  let at = 4 + count * entryBytes
  for (let i = 0; i < count; i++) {
    const algorithm = algorithms[bytes[4 + i * entryBytes + 4] as number] as Algorithm
    const signatureAt = at + publicKeyBytesOf[algorithm]
    const messageAt = signatureAt + signatureBytes
    const end = messageAt + view.getUint32(4 + i * entryBytes)
    const ok = verifySigned({ algorithm, publicKey: bytes.subarray(at, signatureAt), signature: bytes.subarray(signatureAt, messageAt), message: bytes.subarray(messageAt, end) })
    bytes[4 + i * entryBytes + 5] = ok ? 1 : 0
    at = end
  }
}

export function readVerdicts(buffer: ArrayBuffer): boolean[] {
  const bytes = new Uint8Array(buffer)
  const count = new DataView(buffer).getUint32(0)
  return Array.from({ length: count }, (_, i) => bytes[4 + i * entryBytes + 5] === 1)
}
