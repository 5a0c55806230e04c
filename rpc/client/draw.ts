// A lottery drawn again, by whoever wants to know: seats go by a seed that nobody controls, and nobody need believe a node about what came of it
// (docs/transactions.md, "The lottery, and who can influence it").
import type { Did, Hash, Height } from '../../primitives/brand.ts'
import { equalBytes } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json } from '../../primitives/schema.ts'
import { blockRecordTable } from '../../state/block-record.ts'
import { drawTable, slotTable } from '../../state/reservation/keys.ts'
import { drawnPlace, lotterySeed, secretHash } from '../../state/reservation/lottery.ts'
import type { Draw, Slot } from '../../state/reservation/types.ts'
import { decodeValue, stateKey } from '../../state/table.ts'
import type { Client } from './client.ts'
import { type Trust, verifyStateProofs } from './verify.ts'

export interface CheckedDraw {
  /** The block that ended the registration, whose hash is in the seed. */
  readonly height: Height
  readonly seed: Hash
  /** Who had a lot when the registration ended. */
  readonly entrants: number
  /** As drawn, first to last: all of them once the drawing is done. */
  readonly drawn: readonly { readonly did: Did; readonly outcome: string }[]
}

const types = ['reservation.entered', 'reservation.cancelled', 'reservation.registrationEnded', 'reservation.drawn']
const pageItems = 1_000

/**
 * Draws the lots of a slot again. The commitments, the secrets, the block's hash, the seed and how many lots are drawn are proven against the validators that are trusted; who entered
 * and left, and who was drawn, are the events that the node tells, and have to come to the same. undefined: the seed is not known yet, or the slot has no lottery.
 * Throws `proof/draw` where anything differs, `proof/…` and `chain/pruned`, and like `client.call`.
 */
export function checkedDraw(client: Pick<Client, 'call' | 'callUntyped'>, trust: Trust): (slot: string) => Promise<CheckedDraw | undefined> {
  const proven = async (...keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> => {
    const { values } = verifyStateProofs(trust, keys, await client.callUntyped('state_proof', { keys: [...keys] }))
    return keys.map((key) => values.get(key))
  }
  return async (id) => {
    const [slotValue, drawValue] = await proven(stateKey(slotTable, [id]), stateKey(drawTable, [id]))
    if (slotValue === undefined || drawValue === undefined) return undefined
    const [slot, draw] = [decodeValue(slotTable, slotValue), decodeValue(drawTable, drawValue)]
    if (draw.seed === undefined) return undefined
    const [recordValue] = await proven(stateKey(blockRecordTable, [draw.height]))
    if (recordValue === undefined || !equalBytes(seedOf(id, slot, draw, decodeValue(blockRecordTable, recordValue).hash), draw.seed)) throw differs(id, 'the seed is not that of the secrets and the block')
    const { entrants, told } = await readEvents(client, id, slot, draw)
    const order = drawAgain(draw.seed, entrants)
    if (told.length !== draw.drawn) throw differs(id, `${told.length} lots are told of, ${draw.drawn} are drawn`)
    const wrong = told.findIndex(({ did }, i) => did !== order[i])
    if (wrong >= 0) throw differs(id, `lot ${wrong + 1} is another’s`)
    return { height: draw.height, seed: draw.seed, entrants: entrants.length, drawn: told }
  }
}

function seedOf(id: string, { lottery = [] }: Slot, { secrets }: Draw, block: Hash): Hash {
  const inOrder = lottery.map(({ by, hash }) => {
    const shown = secrets.find((each) => each.by === by)?.secret
    if (shown === undefined || !equalBytes(secretHash(id, by, shown), hash)) throw differs(id, `the secret of ${by} is not what was committed to`)
    return shown
  })
  return lotterySeed(id, block, inOrder)
}

/** Steps 2 and 4 of the document. */
function drawAgain(seed: Hash, entrants: readonly Did[]): readonly Did[] {
  const left = [...entrants]
  const order: Did[] = []
  while (left.length > 0) order.push(take(left, drawnPlace(seed, order.length, left.length)))
  return order
}

/** The last takes the place of who leaves. */
function take(list: Did[], place: number): Did {
  const [taken, last] = [list[place] as Did, list.pop() as Did]
  if (place < list.length) list[place] = last
  return taken
}

interface ToldEvent {
  readonly type: string
  readonly slot: string
  readonly did: Did
  readonly number: number
  readonly entered: number
  readonly outcome: string
}

async function readEvents(client: Pick<Client, 'call'>, id: string, slot: Slot, draw: Draw): Promise<{ readonly entrants: readonly Did[]; readonly told: readonly { readonly did: Did; readonly outcome: string }[] }> {
  const list: Did[] = []
  const told: { readonly did: Did; readonly outcome: string }[] = []
  let [entries, ended] = [0, false]
  let cursor = `${await firstBlockFrom(client, slot.opensMs, draw.height)}.0`
  const filter = { facility: slot.facility, types }
  for (;;) {
    const page = await client.call('events_since', { cursor, filter, limit: pageItems })
    for (const item of page.items) {
      const { height, event } = item as unknown as { readonly height: number; readonly event: ToldEvent }
      if (event.slot !== id) continue
      if (event.type === 'reservation.entered') {
        list.push(event.did)
        // numbers and counts leave no room for an event that is kept back
        if (ended || event.number !== ++entries || event.entered !== list.length) throw differs(id, `entry ${event.number} does not follow`)
      } else if (event.type === 'reservation.cancelled' && !ended) {
        const place = list.indexOf(event.did)
        if (place < 0) throw differs(id, `${event.did} left without having entered`)
        take(list, place)
      } else if (event.type === 'reservation.registrationEnded') {
        if (height !== draw.height || event.entered !== list.length) throw differs(id, 'the registration ended elsewhere, or with other entrants')
        ended = true
      } else if (event.type === 'reservation.drawn') told.push({ did: event.did, outcome: event.outcome })
    }
    if (page.next === cursor || told.length >= draw.drawn) break
    cursor = page.next
  }
  if (!ended) throw differs(id, 'the end of the registration is not told of')
  return { entrants: list, told }
}

/** The first block whose time has reached `timeMs`, at most `last`: nobody enters before. */
async function firstBlockFrom(client: Pick<Client, 'call'>, timeMs: number, last: number): Promise<number> {
  let [low, high] = [1, last]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const { header } = await client.call('chain_getBlock', { height: middle, transactions: 'ids' })
    if (header.timeMs < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

function differs(slot: string, why: string): DongbaekError {
  return new DongbaekError('proof/draw', `the draw of ${slot} does not hold: ${why}`, { slot } satisfies Record<string, Json>)
}
