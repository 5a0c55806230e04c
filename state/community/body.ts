// Bodies stand outside the chain by their hash. A hash belongs to one post, so that nobody can keep another's body alive by naming it too,
// and what was erased stays erased: a node keeps a body only while `bodyIsReferenced` says so.
import type { Hash, TimeMs, TransactionId } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { refuse, type Refusal } from '../family.ts'
import type { ReadView, WriteView } from '../view.ts'
import { bodyTable } from './keys.ts'
import { readSettings } from './settings.ts'

interface Body {
  readonly bodyHash: Hash
  readonly bodyBytes: number
}

/** True while a post that is not erased has this body. */
export function bodyIsReferenced(view: ReadView, hash: Hash): boolean {
  const known = view.get(bodyTable, toBase64url(hash))
  return known !== undefined && known.erasedAtMs === undefined
}

/** True once the body was erased: a node deletes it and never takes it again. */
export function bodyErased(view: ReadView, hash: Hash): boolean {
  return view.get(bodyTable, toBase64url(hash))?.erasedAtMs !== undefined
}

/** How many bytes the post with this body says it has; undefined where no post has it. */
export function bodyBytesOf(view: ReadView, hash: Hash): number | undefined {
  return view.get(bodyTable, toBase64url(hash))?.bytes
}

export function checkBody(view: ReadView, { bodyHash, bodyBytes }: Body): Refusal | undefined {
  const { bodyBytesMax } = readSettings(view)
  if (bodyBytes > bodyBytesMax) return refuse('community/body-too-large', { bodyBytes, bodyBytesMax })
  if (bodyErased(view, bodyHash)) return refuse('community/body-erased')
  return bodyIsReferenced(view, bodyHash) ? refuse('community/body-taken') : undefined
}

export function enterBody(view: WriteView, post: TransactionId, { bodyHash, bodyBytes }: Body): void {
  view.put(bodyTable, [toBase64url(bodyHash)], { post, bytes: bodyBytes })
}

export function eraseBody(view: WriteView, post: TransactionId, { bodyHash, bodyBytes }: Body, nowMs: TimeMs): void {
  view.put(bodyTable, [toBase64url(bodyHash)], { post, bytes: bodyBytes, erasedAtMs: nowMs })
}
