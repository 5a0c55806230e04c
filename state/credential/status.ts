// Status lists: one bit a credential, the left-most bit of a byte first (Bitstring Status List 1.0), in chunks so that a change costs a kilobyte.
import type { Did } from '../../primitives/brand.ts'
import { bytes, did, type Infer, record } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'
import { statusChunkBits, statusChunkBytes, type StatusEntry, statusPurpose } from './types.ts'

export const statusListRecord = record({ issuer: did, purpose: statusPurpose })
export type StatusListRecord = Infer<typeof statusListRecord>

/** credential.statusList/<list> */
export const statusListTable = table('credential.statusList', statusListRecord)
/** credential.statusChunk/<list>/<chunk>; a chunk that is absent is all zero. */
export const statusChunkTable = table('credential.statusChunk', bytes(statusChunkBytes, statusChunkBytes))

export function chunkOf(index: number): number {
  return Math.floor(index / statusChunkBits)
}

export function bitOf(chunk: Uint8Array | undefined, index: number): boolean {
  if (chunk === undefined) return false
  const bit = index % statusChunkBits
  return (((chunk[bit >> 3] as number) >> (7 - (bit & 7))) & 1) === 1
}

/** The bit, or undefined when the issuer has no such list. */
export function readStatus(view: ReadView, issuer: Did, { list, index }: StatusEntry): boolean | undefined {
  if (view.get(statusListTable, list)?.issuer !== issuer) return undefined
  return bitOf(view.get(statusChunkTable, list, chunkOf(index)), index)
}

/** Sets the bits at ascending indexes; returns those that changed. */
export function writeStatus(view: WriteView, list: string, indexes: readonly number[], status: boolean): readonly number[] {
  const changed: number[] = []
  for (let i = 0; i < indexes.length; ) {
    const chunk = chunkOf(indexes[i] as number)
    const next = Uint8Array.from(view.get(statusChunkTable, list, chunk) ?? new Uint8Array(statusChunkBytes))
    const before = changed.length
    for (; i < indexes.length && chunkOf(indexes[i] as number) === chunk; i++) {
      const index = indexes[i] as number
      if (bitOf(next, index) === status) continue
      const bit = index % statusChunkBits
      next[bit >> 3] = (next[bit >> 3] as number) ^ (128 >> (bit & 7))
      changed.push(index)
    }
    if (changed.length > before) view.put(statusChunkTable, [list, chunk], next)
  }
  return changed
}
