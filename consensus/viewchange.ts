// View change (paper, section 4.4). A replica that leaves its view shows what it knows to be final and prepared; the primary of the next view
// gathers a quorum of such ViewChanges, and what they show decides which chain the new view begins with (newview.ts).
import type { Height, View } from '../primitives/brand.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import { foundationOf, raiseAnchor } from './anchor.ts'
import { raiseWish } from './announce.ts'
import { blockHash } from './block.ts'
import type { PreparedBlock } from './certificate.ts'
import { broadcast } from './effects.ts'
import { blame } from './evidence.ts'
import { newViewBytes, viewChangeBytes, withoutFoundation, type NewView, type NewViewContent, type ViewChange, type ViewChangeContent } from './messages.ts'
import { chooseChain, type Choice } from './newview.ts'
import { accept, requestPayload } from './normal.ts'
import { isQuorum } from './quorum.ts'
import { mayChangeTo, payloadIsValid } from './safety.ts'
import { requestSync } from './sync.ts'
import { isPrimary, primaryOf, validatorAt, type ReplicaState } from './state.ts'
import { indexOfKey, type Epoch } from './validators.ts'
import { voteBytes } from './votes.ts'

/** From here on no vote for a lower view (safety.ts, S1). */
function leaveView(state: ReplicaState, view: View): void {
  assert(view > state.view, 'views only rise')
  state.mode = 'changing'
  state.view = view
  if (state.wish < view) state.wish = view
  state.newView = undefined
  state.ownViewChange = undefined
  state.viewBase = state.anchor
  state.tip = state.anchor
  state.allowance = 0 as Height
  state.asked = undefined
  state.overdue = false
  state.distrusts = false
  state.moved = true
  state.running.delete('view')
  forgetPayloads(state)
}

/** Verdicts on blocks that are neither prepared nor were being voted on would pile up with the views; asked again, the driver answers at once. */
function forgetPayloads(state: ReplicaState): void {
  const kept = new Set<string>()
  for (const { accepted, prepared } of state.slots.values()) {
    if (accepted !== undefined) kept.add(toHex(accepted.hash))
    if (prepared !== undefined) kept.add(toHex(prepared.certificate.blockHash))
  }
  for (const key of state.payloads.keys()) if (!kept.has(key)) state.payloads.delete(key)
}

/** A block was committed in a later view, so that view exists: vote in no lower one, and get its NewView from those who are in it. */
export function awaitView(state: ReplicaState, view: View): void {
  leaveView(state, view)
  state.effects.views.push({ what: 'proven', view })
}

function preparedAboveAnchor(state: ReplicaState): PreparedBlock[] {
  const out: PreparedBlock[] = []
  for (let height = state.anchor.height + 1; ; height++) {
    const prepared = state.slots.get(height as Height)?.prepared
    if (prepared === undefined) return out
    out.push(prepared)
  }
}

export function startViewChange(state: ReplicaState, view: View): void {
  state.effects.views.push({ what: 'left', view, reason: state.wish >= view ? state.wishReason : 'others' })
  leaveView(state, view)
  state.failures++
  if (state.self === undefined || state.halted || !mayChangeTo(state, view)) return
  const foundation = foundationOf(state)
  // So far behind the checkpoints of the others that one of them has to be shown the last one first (status.ts): a ViewChange without foundation nobody takes.
  if (state.anchorDecision !== undefined && foundation === undefined) return
  const content: ViewChangeContent = {
    epoch: state.epoch.activation,
    view,
    validator: state.self,
    prepared: preparedAboveAnchor(state),
    ...(state.anchorDecision === undefined ? {} : { base: state.anchorDecision }),
  }
  const own: ViewChange = { ...content, signature: state.config.sign(viewChangeBytes(state.config.chain, content)), ...(foundation === undefined ? {} : { foundation }) }
  state.effects.persist.push({ ...own, type: 'viewChange' })
  rejoinViewChange(state, own)
  broadcast(state.effects, { ...own, type: 'view-change' })
}

/** The own ViewChange, just sent or read back from the log. */
export function rejoinViewChange(state: ReplicaState, own: ViewChange): void {
  state.ownViewChange = own
  state.viewChanges.set(own.validator, own)
}

export function resumeViewChange(state: ReplicaState, own: ViewChange): void {
  if (own.epoch !== state.epoch.activation || own.view <= state.view) return
  leaveView(state, own.view)
  rejoinViewChange(state, own)
}

export function onViewChange(state: ReplicaState, message: ViewChange): void {
  if (message.epoch !== state.epoch.activation || message.view < state.view || message.validator === state.self) return
  const known = state.viewChanges.get(message.validator)
  if (known !== undefined && known.view === message.view && !equalBytes(known.signature, message.signature)) {
    const { chain } = state.config
    if (!equalBytes(viewChangeBytes(chain, known), viewChangeBytes(chain, message))) {
      blame(state, state.epoch.set, message.validator, 'view-change', { view: message.view }, [{ ...known, type: 'view-change' }, { ...message, type: 'view-change' }])
    }
    return
  }
  if (known !== undefined && message.view <= known.view) return
  state.viewChanges.set(message.validator, message)
  state.wishesChanged = true
}

/** What another's ViewChange shows as prepared and is not known as final here. */
function adoptable(state: ReplicaState, { prepared }: ViewChange): readonly PreparedBlock[] {
  return prepared.filter(({ header }) => header.height > state.committed.height)
}

/**
 * Whether all that it shows can be adopted: the payloads are here. Prepares go out before they are on a disk, so what a liar shows may be gone after a power cut of all
 * others, while a correct validator has on its disk what it shows (safety.ts, S4).
 */
function hasPayloads(state: ReplicaState, change: ViewChange): boolean {
  return change.validator === state.self || adoptable(state, change).every(({ certificate }) => payloadIsValid(state, certificate.blockHash))
}

/** Asks whoever shows them, and who has signed for them, for the payloads of what the view waited for may begin with: what was not asked for yet, or all that lacks. */
export function requestAdoptable(state: ReplicaState, what: 'new' | 'all'): void {
  if (!isPrimary(state)) return
  for (const change of state.viewChanges.values()) {
    if (change.view !== state.view || change.validator === state.self) continue
    for (const { header, certificate } of adoptable(state, change)) {
      if (what === 'new' && state.payloads.has(toHex(certificate.blockHash))) continue
      const holders = new Set([change.validator, ...certificate.signatures.map(({ validator }) => validator)])
      holders.delete(state.self as number)
      requestPayload(state, { header, hash: certificate.blockHash }, [...holders].map((index) => validatorAt(state.epoch, index)))
    }
  }
}

/** The primary of the view waited for has a quorum of ViewChanges for it, and the payloads of all that they show. */
export function buildNewView(state: ReplicaState): boolean {
  // Without its own ViewChange it may have led this view before and forgotten (safety.ts, S7); then it must not lead it twice.
  if (state.mode !== 'changing' || state.halted || state.ownViewChange === undefined || !isPrimary(state)) return false
  requestAdoptable(state, 'new')
  const gathered = [...state.viewChanges.values()].filter((one) => one.view === state.view && hasPayloads(state, one)).sort((a, b) => a.validator - b.validator)
  if (!isQuorum(state.epoch.set, new Set(gathered.map((one) => one.validator)))) return false

  const { config, view } = state
  const choice = chooseChain(gathered, config.genesis)
  const foundation = gathered.find(({ base }) => base === choice.decision)?.foundation
  const viewChanges = gathered.map(withoutFoundation)
  const adopted = choice.adopted.map((header) => ({
    blockHash: blockHash(header),
    signature: config.sign(voteBytes('pre-prepare', config.chain, view, header.height, blockHash(header))),
  }))
  const content: NewViewContent = { epoch: state.epoch.activation, view, viewChanges, adopted }
  const message: NewView = { ...content, signature: config.sign(newViewBytes(config.chain, content)), ...(foundation === undefined ? {} : { foundation }) }
  state.effects.persist.push({ ...message, type: 'newView' })
  enterView(state, message, choice)
  broadcast(state.effects, { ...message, type: 'new-view' })
  return true
}

function isSameChoice(message: NewView, choice: Choice): boolean {
  return message.adopted.length === choice.adopted.length && message.adopted.every((one, i) => {
    const header = choice.adopted[i]
    return header !== undefined && equalBytes(one.blockHash, blockHash(header))
  })
}

export function onNewView(state: ReplicaState, message: NewView): void {
  if (message.epoch !== state.epoch.activation || message.view < state.view) return
  const primary = message.view % state.epoch.set.validators.length
  if (message.view === state.view && state.mode === 'normal') {
    const { chain } = state.config
    if (state.newView !== undefined && !equalBytes(newViewBytes(chain, state.newView), newViewBytes(chain, message))) {
      blame(state, state.epoch.set, primary, 'new-view', { view: message.view }, [{ ...state.newView, type: 'new-view' }, { ...message, type: 'new-view' }])
    }
    return
  }
  const choice = chooseChain(message.viewChanges, state.config.genesis)
  if (!isSameChoice(message, choice)) {
    blame(state, state.epoch.set, primary, 'new-view', { view: message.view }, [{ ...message, type: 'new-view' }])
    raiseWish(state, message.view + 1, 'wrong-new-view')
    return
  }
  if (undoesFinal(state, message.view, choice)) {
    raiseWish(state, message.view + 1, 'wrong-new-view')
    return
  }
  state.effects.persist.push({ ...message, type: 'newView' })
  enterView(state, message, choice)
}

/**
 * Another block in the place of one that became final in this very view, or a later one: its primary has opened the view twice, with different choices, and
 * the others followed the other one. What was final in a lower view is part of every choice, unless more than f validators lie.
 */
function undoesFinal(state: ReplicaState, view: View, { adopted }: Choice): boolean {
  const { anchor, anchorDecision } = state
  const other = adopted.find((header) => header.height === anchor.height)
  if (other === undefined || equalBytes(blockHash(other), anchor.hash)) return false
  assert(anchorDecision !== undefined && anchorDecision.header.height >= state.epoch.activation && anchorDecision.certificate.view >= view, 'a new view undoes no final block; if it does, more than f validators lie')
  return true
}

/** A NewView read back from the log. */
export function resumeNewView(state: ReplicaState, message: NewView): void {
  if (message.epoch !== state.epoch.activation || message.view < state.view || (message.view === state.view && state.mode === 'normal')) return
  enterView(state, message, chooseChain(message.viewChanges, state.config.genesis))
}

function enterView(state: ReplicaState, message: NewView, choice: Choice): void {
  state.effects.views.push({ what: 'entered', view: message.view })
  state.mode = 'normal'
  state.view = message.view
  state.newView = message
  state.wish = message.view
  state.ownViewChange = undefined
  state.allowance = 0 as Height
  state.asked = undefined
  state.overdue = false
  state.distrusts = false
  state.moved = true
  state.running.delete('view')
  for (const [validator, one] of state.viewChanges) if (one.view <= message.view) state.viewChanges.delete(validator)

  if (choice.decision !== undefined && message.foundation !== undefined) raiseAnchor(state, choice.decision, message.foundation)
  // The base, or what is known to be final above it: that is part of what was adopted, or nothing was.
  state.viewBase = state.anchor
  state.tip = state.anchor
  const primary = primaryOf(state)
  choice.adopted.forEach((header, i) => {
    const { signature, blockHash: hash } = message.adopted[i] as NewView['adopted'][number]
    if (header.height <= state.anchor.height) return
    // The primary's own proposal of that block, if it was the one who made it, brings the manifest along.
    const manifest = [...(state.slots.get(header.height)?.proposals.values() ?? [])].find((one) => equalBytes(blockHash(one.header), hash))?.manifest
    accept(state, { view: message.view, header, hash, signature, ...(manifest === undefined ? {} : { manifest }) })
  })
  // What the NewView shows is committed from there; what lies below its checkpoint a quorum has.
  if (primary !== state.self && choice.base.height > state.committed.height && !state.finals.has((state.committed.height + 1) as Height)) requestSync(state)
}

/** The last block of an epoch is final: the next one begins in view 0 on it, with its own set. */
export function enterEpoch(state: ReplicaState, epoch: Epoch): void {
  state.epoch = epoch
  state.self = indexOfKey(epoch.set, state.config.publicKey)
  state.mode = 'normal'
  state.view = 0 as View
  state.wish = 0 as View
  state.failures = 0
  state.newView = undefined
  state.ownViewChange = undefined
  state.viewChanges.clear()
  state.peers.clear()
  state.viewBase = state.committed
  state.tip = state.committed
  state.allowance = 0 as Height
  state.asked = undefined
  state.overdue = false
  state.distrusts = false
  state.running.delete('view')
}

