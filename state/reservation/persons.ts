// One person, whatever DIDs: a pseudonym where a qualification is attested, else the DID itself. Keeps what a person holds in a course.
import type { Did } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import type { ReadView, WriteView } from '../view.ts'
import { heldTable, holderTable, personTable, present } from './keys.ts'
import type { Slot } from './types.ts'

export interface Holding {
  readonly holder: Did
  readonly pseudonym?: Uint8Array
}

function personOf({ holder, pseudonym }: Holding): string {
  return pseudonym === undefined ? holder : toBase64url(pseudonym)
}

/** The DID under which the person has a seat or waits in this slot. */
export function personInSlot(view: ReadView, slot: string, pseudonym: Uint8Array): Did | undefined {
  return view.get(personTable, slot, toBase64url(pseudonym))?.did
}

export function heldInCourse(view: ReadView, course: string, holding: Holding): number {
  return view.get(heldTable, course, personOf(holding))?.count ?? 0
}

/** Enters that the person has a seat or a place in line. */
export function enterHolding(view: WriteView, id: string, { course }: Slot, holding: Holding): void {
  view.put(holderTable, [id, holding.holder], present)
  if (holding.pseudonym !== undefined) view.put(personTable, [id, personOf(holding)], { did: holding.holder })
  if (course !== undefined) view.put(heldTable, [course, personOf(holding)], { count: heldInCourse(view, course, holding) + 1 })
}

/** The reverse of enterHolding. */
export function dropHolding(view: WriteView, id: string, { course }: Slot, holding: Holding): void {
  view.remove(holderTable, [id, holding.holder])
  if (holding.pseudonym !== undefined) view.remove(personTable, [id, personOf(holding)])
  if (course === undefined) return
  const count = heldInCourse(view, course, holding) - 1
  if (count > 0) view.put(heldTable, [course, personOf(holding)], { count })
  else view.remove(heldTable, [course, personOf(holding)])
}
