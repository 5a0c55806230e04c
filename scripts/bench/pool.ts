// Transactions signed ahead, so that the run itself only sends. What is missing is signed on the spot and counted.
import { toBase64url } from '../../primitives/bytes.ts'
import type { SignedTransaction } from '../../rpc/client/index.ts'

export interface Prepared {
  /** Both in base64url, as they go over the wire. */
  readonly id: string
  readonly encoded: string
}

export interface Pool {
  /** Signs until `count` are there. */
  readonly fill: (count: number) => Promise<void>
  readonly take: (count: number) => Promise<readonly Prepared[]>
  readonly size: () => number
  /** How many were signed on the spot. */
  readonly late: () => number
}

export function createPool(make: () => Promise<SignedTransaction>): Pool {
  const made: Prepared[] = []
  let used = 0
  let late = 0
  const size = (): number => made.length - used
  const fill = async (count: number): Promise<void> => {
    while (size() < count) made.push(prepare(await make()))
  }
  return {
    size,
    fill,
    take: async (count) => {
      late += Math.max(0, count - size())
      await fill(count)
      used += count
      return made.slice(used - count, used)
    },
    late: () => late,
  }
}

export function prepare({ id, bytes }: SignedTransaction): Prepared {
  return { id: toBase64url(id), encoded: toBase64url(bytes) }
}
