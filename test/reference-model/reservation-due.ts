// The reference model of what falls due in reservations before the transactions of a block: docs/transactions.md, reservation, "By the chain itself".
import { utf8 } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { addTask, canPromote, counts, giveBack, giveSeat, isVoid, leaveRoster, letGo, promote, revealMs, taken, whereOf } from './seats.ts'
import { seedOf } from './reservation.ts'
import { Refused, remove, tell, type Seat, type Slot, type Task, type World } from './world.ts'

const stepsMax = 250
const stepsOfOneMax = 50

/** How many steps a task took, and whether it has more to do now. */
interface Work {
  readonly steps: number
  readonly isMore: boolean
}

export function reservationDue(world: World): void {
  for (let left = stepsMax; left > 0; ) {
    const [first] = world.tasks.filter(({ atMs }) => atMs <= world.nowMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order)
    if (first === undefined) return
    remove(world.tasks, first)
    const { steps, isMore } = work(world, first.task, Math.min(left, stepsOfOneMax))
    if (isMore) addTask(world, world.nowMs, first.task)
    left -= steps
  }
}

/** As often as there is something to do, up to so many steps. */
function repeat(max: number, isThere: () => boolean, step: () => void): Work {
  let steps = 0
  for (; steps < max && isThere(); steps++) step()
  return { steps: Math.max(1, steps), isMore: isThere() }
}

function work(world: World, task: Task, max: number): Work {
  const once: Work = { steps: 1, isMore: false }
  if (task.what === 'refundDay') {
    return repeat(max, () => task.slots.length > 0, () => addTask(world, world.nowMs, { what: 'refundSlot', slot: task.slots.shift() ?? '' }))
  }
  const slot = world.slots.get(task.slot)
  assert(slot !== undefined, 'the slot of a task')
  switch (task.what) {
    case 'lapse':
      lapse(world, slot, task.did)
      return once
    case 'promote':
      return repeat(max, () => canPromote(world, slot), () => promote(world, slot))
    case 'refundSlot':
      return repeat(max, () => slot.payers.length > 0, () => refundLast(world, slot))
    case 'endRegistration':
      endRegistration(world, slot)
      return once
    case 'endSecrets':
      endSecrets(world, slot)
      return once
    case 'lots': {
      const seed = seedOf(slot)
      const { draw } = slot
      if (isVoid(world, slot) || draw === undefined || seed === undefined) return once
      return repeat(max, () => slot.lots.length > 0, () => drawOne(world, slot, draw, seed))
    }
  }
}

function lapse(world: World, slot: Slot, did: string): void {
  const seat = slot.seats.get(did)
  if (seat?.state !== 'held' || (seat.heldUntilMs ?? 0) > world.nowMs) return
  letGo(slot, seat)
  tell(world, 'reservation.lapsed', { ...whereOf(world, slot), did, ...counts(slot) })
  if (canPromote(world, slot)) promote(world, slot)
}

/** Who paid last comes first. Who was there, or marked as absent, keeps the seat; where the points family refuses, its holder cancels later. */
function refundLast(world: World, slot: Slot): void {
  const did = slot.payers.at(-1) ?? ''
  const seat = slot.seats.get(did)
  assert(seat?.paid !== undefined, 'who has paid')
  leaveRoster(slot.payers, did)
  if (seat.state !== 'confirmed') return
  let amount = seat.paid.amount
  try {
    amount = giveBack(world, seat) ?? 0
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause
    return tell(world, 'reservation.refundRefused', { ...whereOf(world, slot), did, amount, code: cause.code })
  }
  letGo(slot, seat)
  tell(world, 'reservation.refunded', { ...whereOf(world, slot), did, amount })
}

function endRegistration(world: World, slot: Slot): void {
  if (isVoid(world, slot)) return
  slot.draw = { height: world.height, endedMs: world.nowMs, blockHash: world.blockHash, secrets: new Map(), drawn: 0, isDone: slot.lots.length === 0 }
  tell(world, 'reservation.registrationEnded', { ...whereOf(world, slot), entered: slot.lots.length })
  if (!slot.draw.isDone) addTask(world, world.nowMs + revealMs, { what: 'endSecrets', slot: slot.id })
}

function endSecrets(world: World, slot: Slot): void {
  if (isVoid(world, slot) || seedOf(slot) !== undefined) return
  slot.isClosed = true
  const missing = slot.lottery?.find(({ by }) => slot.draw?.secrets.has(by) !== true)
  tell(world, 'reservation.drawFailed', { ...whereOf(world, slot), missing: missing?.by })
}

function drawOne(world: World, slot: Slot, state: NonNullable<Slot['draw']>, seed: Uint8Array): void {
  const at = lotAt(seed, state.drawn, slot.lots.length)
  const did = slot.lots[at] as string
  leaveRoster(slot.lots, did)
  const seat = slot.seats.get(did) as Seat
  let outcome = 'lost'
  if (taken(slot) < slot.capacity) {
    outcome = 'seat'
    giveSeat(world, slot, seat)
  } else if (slot.line.length < slot.waitlistMax) {
    outcome = 'line'
    seat.state = 'waiting'
    slot.line.push(did)
  } else seat.state = 'lost'
  state.drawn++
  state.isDone = slot.lots.length === 0
  tell(world, 'reservation.drawn', { ...whereOf(world, slot), did, order: state.drawn, outcome, heldUntilMs: seat.heldUntilMs })
}

/** docs/transactions.md, "The lottery, and who can influence it", step 4. */
function lotAt(seed: Uint8Array, drawn: number, lots: number): number {
  const bound = Math.floor(2 ** 48 / lots) * lots
  for (let attempt = 0; ; attempt++) {
    const bytes = taggedHash('lottery-lot', seed, utf8(`${drawn}/${attempt}`)).subarray(0, 6)
    const value = bytes.reduce((number, byte) => number * 256 + byte, 0)
    if (value < bound) return value % lots
  }
}
