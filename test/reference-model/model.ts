// The reference model's blocks: what falls due, then each transaction in order: its envelope, then the rules of its kind.
import { toHex as hex } from '../../primitives/bytes.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import type { Settings } from '../../state/reservation/types.ts'
import { closeFacility, openSlots, openTimetable, registerFacility } from './facilities.ts'
import { amendMerchant, amendProgram, apply, clawback, closeProgram, cutBudget, decide, issue, openProgram, reclaim, registerMerchant, resumeMerchant, suspendMerchant, topUp } from './points-programs.ts'
import { authorise, capture, pointsDue, refund, repay, settle, spend, voidHold } from './points-purchases.ts'
import { reservationDue } from './reservation-due.ts'
import { amendSlot, cancel, checkIn, closeDays, closeSlot, hold, noShow, reserve, reveal } from './reservation.ts'
import { must, Refused, tell, type Order, type Told, type World } from './world.ts'

export interface ModelReceipt {
  readonly status: 'ok' | 'refused'
  readonly code?: string
  readonly events: readonly Told[]
}

type Rules = (world: World, order: Order, payload: never) => void

/** The holder ends the DID: the one rule of another family that the two here depend on. */
function deactivate(world: World, { sender }: Order): void {
  must(world.activeDids.delete(sender), 'did/deactivated')
  tell(world, 'did.deactivated', { did: sender, version: 2 })
}

export const rules: Readonly<Record<string, Rules>> = {
  'did.deactivate': deactivate,
  'points.registerMerchant': registerMerchant,
  'points.amendMerchant': amendMerchant,
  'points.suspendMerchant': suspendMerchant,
  'points.resumeMerchant': resumeMerchant,
  'points.openProgram': openProgram,
  'points.amendProgram': amendProgram,
  'points.topUp': topUp,
  'points.cutBudget': cutBudget,
  'points.closeProgram': closeProgram,
  'points.apply': apply,
  'points.decide': decide,
  'points.issue': issue,
  'points.clawback': clawback,
  'points.spend': spend,
  'points.authorise': authorise,
  'points.capture': capture,
  'points.void': voidHold,
  'points.refund': refund,
  'points.settle': settle,
  'points.repay': repay,
  'points.reclaim': reclaim,
  'reservation.registerFacility': registerFacility,
  'reservation.closeFacility': closeFacility,
  'reservation.openSlots': openSlots,
  'reservation.openTimetable': openTimetable,
  'reservation.amendSlot': amendSlot,
  'reservation.closeSlot': closeSlot,
  'reservation.closeDays': closeDays,
  'reservation.hold': hold,
  'reservation.reserve': reserve,
  'reservation.cancel': cancel,
  'reservation.reveal': reveal,
  'reservation.checkIn': checkIn,
  'reservation.noShow': noShow,
}

export interface ModelBlock {
  readonly height: number
  readonly timeMs: number
  readonly hash: Uint8Array
  readonly transactions: readonly ReadyTransaction[]
  /** The settings that governance has set by a transaction, by its place in the block. */
  readonly settings: ReadonlyMap<number, Settings>
}

/** Moves the world on by a block: the block's own events, and each transaction's receipt, if it is one of the model. */
export function runBlock(world: World, { height, timeMs, hash, transactions, settings }: ModelBlock): { readonly events: readonly Told[]; readonly receipts: readonly (ModelReceipt | undefined)[] } {
  Object.assign(world, { height, nowMs: timeMs, blockHash: hash, told: [] })
  pointsDue(world)
  reservationDue(world)
  const events = world.told
  const receipts = transactions.map((ready, i) => {
    const receipt = run(world, ready)
    world.settings = settings.get(i) ?? world.settings
    return receipt
  })
  return { events, receipts }
}

function run(world: World, { transaction, payload }: ReadyTransaction): ModelReceipt | undefined {
  const { kind, sender, signatures, chain, validUntilMs } = transaction
  const order: Order = { id: hex(transaction.id), kind, sender, signers: signatures.map(({ signer }) => signer), payload }
  world.told = []
  const apply = kind === 'did.deactivate' && !world.people.has(sender) ? undefined : rules[kind]
  try {
    if (apply === undefined) return undefined
    must(chain === world.chain, 'tx/wrong-chain')
    must(world.nowMs <= validUntilMs, 'tx/expired')
    must(validUntilMs <= world.nowMs + world.validityMs, 'tx/valid-until-too-far')
    must(!world.ran.has(order.id), 'tx/duplicate')
    for (const signer of order.signers) must(world.activeDids.has(signer) || kind === 'did.deactivate', 'tx/key-not-authorised')
    apply(world, order, payload)
    return { status: 'ok', events: world.told }
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause
    return { status: 'refused', code: cause.code, events: [] }
  } finally {
    if (validUntilMs <= world.nowMs + world.validityMs) world.ran.add(order.id)
  }
}
