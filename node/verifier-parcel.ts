// Many signatures in one buffer that is handed to a worker and back without being copied:
//   count u32 · for each: message length u32 · verdict u8 … then for each: public key 32 · signature 64 · message
import { publicKeyBytes, signatureBytes, verify } from '../primitives/ed25519.ts'
import type { SignedItem } from './world.ts'

const entryBytes = 5
const fixedBytes = publicKeyBytes + signatureBytes

/** Keys and signatures must have their lengths: the caller sorts out others. */
export function packParcel(items: readonly SignedItem[]): ArrayBuffer {
  let length = 4 + items.length * (entryBytes + fixedBytes)
  for (const { message } of items) length += message.length
  const buffer = new ArrayBuffer(length)
  const view = new DataView(buffer)
  const bytes = new Uint8Array(buffer)
  view.setUint32(0, items.length)
  let at = 4 + items.length * entryBytes
  items.forEach(({ publicKey, message, signature }, i) => {
    view.setUint32(4 + i * entryBytes, message.length)
    bytes.set(publicKey, at)
    bytes.set(signature, at + publicKeyBytes)
    bytes.set(message, at + fixedBytes)
    at += fixedBytes + message.length
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
    const end = at + fixedBytes + view.getUint32(4 + i * entryBytes)
    const ok = verify(bytes.subarray(at + publicKeyBytes, at + fixedBytes), bytes.subarray(at + fixedBytes, end), bytes.subarray(at, at + publicKeyBytes))
    bytes[4 + i * entryBytes + 4] = ok ? 1 : 0
    at = end
  }
}

export function readVerdicts(buffer: ArrayBuffer): boolean[] {
  const bytes = new Uint8Array(buffer)
  const count = new DataView(buffer).getUint32(0)
  return Array.from({ length: count }, (_, i) => bytes[4 + i * entryBytes + 4] === 1)
}
