// P-256 by OpenSSL. The rule it follows is stated in p256.ts.
import { createPublicKey, type KeyObject, verify as verifyByOpenssl } from 'node:crypto'
import { concatBytes, toHex } from './bytes.ts'
import { hasForm } from './p256-form.ts'

/** SubjectPublicKeyInfo of a compressed P-256 point, up to the point (RFC 5480). */
const prefix = Uint8Array.from([0x30, 0x39, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x22, 0x00])

/** Finding y costs as much as the check itself, and a citizen's key comes again. Each some kilobytes. */
const keysKept = 1_000
const keys = new Map<string, KeyObject>()

function keyObject(publicKey: Uint8Array): KeyObject | undefined {
  const name = toHex(publicKey)
  const known = keys.get(name)
  if (known !== undefined) return known
  try {
    const made = createPublicKey({ key: Buffer.from(concatBytes(prefix, publicKey)), format: 'der', type: 'spki' })
    if (keys.size >= keysKept) keys.clear()
    keys.set(name, made)
    return made
  } catch {
    // OpenSSL throws on an x that is not on the curve
    return undefined
  }
}

/** Never throws: what has not the form is simply not valid. */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (!hasForm(signature, publicKey)) return false
  const key = keyObject(publicKey)
  return key !== undefined && verifyByOpenssl('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
}
