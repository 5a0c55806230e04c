// The seed of a lottery, which nobody controls and everybody can compute again (docs/transactions.md argues it). Each party commits to a secret when the
// slot is opened. The first block whose time reaches the end of registration fixes the entrants; its hash goes into the seed, and only later blocks take the
// secrets. So whoever makes that block does not know the secrets, and who knows a secret could not choose the block.
import type { Did, Hash, Height, TimeMs } from '../../primitives/brand.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { blockRecordTable } from '../block-record.ts'
import type { ReadView } from '../view.ts'
import type { Commitment, Draw } from './types.ts'

/** What a party commits to: bound to the slot and to itself, so that no commitment can be copied. */
export function secretHash(slot: string, by: Did, secret: Uint8Array): Hash {
  return taggedHash('lottery-secret', utf8(`${slot}/${by}/`), secret)
}

/** Parties whose secret is not shown yet, in the order of the commitments. */
export function missingParties(parties: readonly Commitment[], { secrets }: Pick<Draw, 'secrets'>): readonly Did[] {
  return parties.map(({ by }) => by).filter((by) => !secrets.some((each) => each.by === by))
}

export function lotterySeed(slot: string, block: Hash, secrets: readonly Uint8Array[]): Hash {
  return taggedHash('lottery-seed', utf8(`${slot}/`), block, ...secrets)
}

export function blockAt(view: ReadView, height: Height): { readonly hash: Hash; readonly timeMs: TimeMs } {
  const block = view.get(blockRecordTable, height)
  assert(block !== undefined, `the record of block ${height}`)
  return block
}

const bits48 = 2 ** 48

/** A place from 0 to below `places`, each as likely: 48 bits of a hash, and the next hash where they would favour the first places. */
export function drawnPlace(seed: Hash, order: number, places: number): number {
  const fair = bits48 - (bits48 % places)
  for (let attempt = 0; ; attempt++) {
    const value = taggedHash('lottery-lot', seed, utf8(`${order}/${attempt}`)).slice(0, 6).reduce((sum, byte) => sum * 256 + byte, 0)
    if (value < fair) return value % places
  }
}
