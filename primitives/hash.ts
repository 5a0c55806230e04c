// SHA-256 (FIPS 180-4) under domain tags, so that bytes hashed for one purpose never pass for another.
// The implementation is chosen by package.json "imports": native on Node, @noble/hashes elsewhere. Both give the same bytes.
import { sha256, sha256Into } from '#sha256'
import type { Hash } from './brand.ts'
import { concatBytes, utf8 } from './bytes.ts'

export { sha256, sha256Into }

export const hashBytes = 32

/** Stands for "nothing": the parent of the genesis, an empty tree. No known input hashes to it. */
export const zeroHash: Hash = new Uint8Array(hashBytes) as Hash

/** Where short inputs are joined, and its beginnings by length: to make room for each, or a view of it, costs as much as to hash it. */
const joined = new Uint8Array(4_096)
const joinedOf: Uint8Array[] = []
const prefixes = new Map<string, Uint8Array>()

/** The domain prefix `dongbaek/<tag>\0`, put before what is hashed or signed. Tags are constants of the code, so the cache is bounded. */
export function domain(tag: string): Uint8Array {
  let prefix = prefixes.get(tag)
  if (prefix === undefined) {
    prefix = utf8(`dongbaek/${tag}\0`)
    prefixes.set(tag, prefix)
  }
  return prefix
}

/** SHA-256 over the parts, joined. */
export function hashOf(...parts: readonly Uint8Array[]): Hash {
  let length = 0
  for (const part of parts) length += part.length
  if (length > joined.length) return sha256(concatBytes(...parts)) as Hash
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return sha256((joinedOf[length] ??= joined.subarray(0, length))) as Hash
}

/** SHA-256 over the domain prefix and the parts, joined. */
export function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Hash {
  return hashOf(domain(tag), ...parts)
}
