// SHA-256 by Node's one-shot hash.
import { hash } from 'node:crypto'

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}
