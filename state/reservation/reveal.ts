// reservation.reveal: a party of a lottery shows its secret, once registration has ended. With the last one the seed is fixed and the drawing begins.
import { equalBytes } from '../../primitives/bytes.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { putDue } from './due.ts'
import { secretShown } from './events.ts'
import { drawTable } from './keys.ts'
import { blockAt, lotterySeed, missingParties, secretHash } from './lottery.ts'
import { findSlot, isVoid, whereOf } from './slots.ts'
import { type Reveal, revealMs, revealPayload } from './types.ts'

export const reveal = kind({
  kind: 'reservation.reveal',
  summary: 'Shows the secret of a party of a lottery. By each party, after the block that ended the registration.',
  payload: revealPayload,
  apply: ({ block, transaction, view, emit }: Context, { slot: id, secret }: Reveal): Refusal | undefined => {
    const { sender } = transaction
    const found = findSlot(view, id)
    if (found === undefined) return refuse('reservation/unknown-slot', { slot: id })
    const parties = found.slot.lottery ?? []
    const own = parties.find(({ by }) => by === sender)
    if (own === undefined) return refuse('reservation/not-a-party', { slot: id })
    if (isVoid(found)) return refuse('reservation/slot-closed', { slot: id })
    const draw = view.get(drawTable, id)
    if (draw === undefined || draw.height >= block.height) return refuse('reservation/too-early', { fromMs: found.slot.closesMs })
    if (draw.done || !missingParties(parties, draw).includes(sender)) return refuse('reservation/secret-shown', { slot: id })
    const untilMs = blockAt(view, draw.height).timeMs + revealMs
    if (block.timeMs >= untilMs) return refuse('reservation/too-late', { untilMs })
    if (!equalBytes(secretHash(id, sender, secret), own.hash)) return refuse('reservation/secret-differs', { slot: id })

    const shown = [...draw.secrets, { by: sender, secret }]
    const secrets = parties.flatMap(({ by }) => shown.filter((each) => each.by === by))
    const isLast = secrets.length === parties.length
    const seed = isLast && { seed: lotterySeed(id, blockAt(view, draw.height).hash, secrets.map((each) => each.secret)) }
    view.put(drawTable, [id], { ...draw, secrets, ...seed })
    emit(secretShown({ ...whereOf(id, found), by: sender, ...seed }))
    if (isLast) putDue(view, block.timeMs, { what: 'lots', of: id })
    return undefined
  },
})
