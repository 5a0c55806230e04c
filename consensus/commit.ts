// Final blocks: a quorum of Commits (paper, section 4.2: committed-local), or a certificate that a peer shows. They are taken strictly in order,
// each once, in any mode: a replica that waits for a new view still learns what the others decide.
import type { Height, View } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import { noteFinal } from './anchor.ts'
import { refOf } from './block.ts'
import type { Decision } from './certificate.ts'
import type { Synced } from './input.ts'
import { headerOf } from './normal.ts'
import { dropUnchained, mayDecideNext, type ReplicaState } from './state.ts'
import { commitCertificate } from './tally.ts'
import { epochAt, setAt } from './validators.ts'
import { awaitView, enterEpoch } from './viewchange.ts'

export function commitSlots(state: ReplicaState): boolean {
  let changed = false
  while (mayDecideNext(state)) {
    const decision = nextDecision(state, (state.committed.height + 1) as Height)
    if (decision === undefined) return changed
    decide(state, decision)
    changed = true
  }
  return changed
}

/** What is known to be final at this height: by the votes here, or because a NewView showed it. Who showed it to that view's primary may have lost it since, and nobody else need have it. */
function nextDecision({ slots, schedule, finals }: ReplicaState, height: Height): Decision | undefined {
  const slot = slots.get(height)
  const set = setAt(schedule, height)
  const certificate = slot === undefined || set === undefined ? undefined : commitCertificate(slot, set)
  const header = slot === undefined || certificate === undefined ? undefined : headerOf(slot, certificate.blockHash)
  if (certificate !== undefined && header !== undefined) return { header, certificate }
  return finals.get(height)
}

export function onSynced(state: ReplicaState, { decision }: Synced): void {
  if (decision.header.height === state.committed.height + 1 && mayDecideNext(state)) decide(state, { header: decision.header, certificate: decision.certificate })
}

/** Makes the block one above the last committed one final. */
export function decide(state: ReplicaState, decision: Decision): void {
  const { header, certificate } = decision
  const ref = refOf(header)
  assert(ref.height === state.committed.height + 1, 'blocks are committed in order')
  assert(equalBytes(header.parent, state.committed.hash), 'final blocks form one chain; if not, more than f validators lie')
  state.effects.persist.push({ ...decision, type: 'committed' })
  state.effects.deliver.push(decision)

  const accepted = state.slots.get(ref.height)?.accepted
  const chainsOn = accepted !== undefined && state.mode === 'normal' && accepted.view === state.view && equalBytes(accepted.hash, ref.hash)
  state.committed = ref
  state.committedDecision = decision
  noteFinal(state, decision)
  if (ref.height > state.anchor.height) {
    state.anchor = ref
    state.anchorDecision = decision
  } else if (ref.height === state.anchor.height) assert(equalBytes(ref.hash, state.anchor.hash), 'final blocks form one chain; if not, more than f validators lie')
  state.slots.delete(ref.height)
  for (const [key, { height }] of state.payloads) if (height <= ref.height) state.payloads.delete(key)
  dropUnchained(state, state.anchor)
  // What this view built on another block in this place is void. No vote of ours rests on it: that needs the other block prepared.
  if (ref.height >= state.tip.height || (ref.height > state.viewBase.height && !chainsOn)) state.tip = ref

  noteProgress(state)
  if (certificate.view > state.view) awaitView(state, certificate.view)
  const next = epochAt(state.schedule, (ref.height + 1) as Height)
  assert(next !== undefined, 'the set above a final block is known')
  if (next !== state.epoch) enterEpoch(state, next)
}

/** The doubled timers come down again, and what was wished for in impatience is withdrawn. */
function noteProgress(state: ReplicaState): void {
  state.moved = true
  state.failures = Math.max(0, state.failures - 1)
  state.overdue = false
  state.running.delete('view')
  if (state.mode === 'normal') state.wish = (state.distrusts ? state.view + 1 : state.view) as View
  // What was joined for the sake of f + 1 that distrust the primary is joined again.
  state.wishesChanged = true
}
