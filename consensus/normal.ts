// The normal case (paper, section 4.2): PrePrepare, Prepare, Commit, for several slots in flight. Handlers keep what arrives; the rules below
// run after every input until none of them fires any more (replica.ts).
import type { Hash, Height } from '../primitives/brand.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { distrustPrimary } from './announce.ts'
import { blockHash, refOf, type BlockHeader } from './block.ts'
import type { PreparedBlock, SignatureEntry } from './certificate.ts'
import { broadcast } from './effects.ts'
import { blame } from './evidence.ts'
import type { PayloadJudged } from './input.ts'
import type { PrePrepare, SlotVote } from './messages.ts'
import { isQuorum } from './quorum.ts'
import { assertSignsOnce, mayAccept, mayCommit, mayCountPrepared, mayPrepare, mayVoteFirst } from './safety.ts'
import { acceptedAt, allowUpTo, dropUnchained, isPrimary, openHeights, primaryOf, renewAllowance, slotAt, validatorAt, withinLog, type Accepted, type ReplicaState, type Slot } from './state.ts'
import { epochAt, primaryIndex, type Validator, type ValidatorSet } from './validators.ts'
import { voteBytes } from './votes.ts'

export function onPrePrepare(state: ReplicaState, message: PrePrepare): void {
  const { header, view } = message
  const epoch = epochAt(state.schedule, header.height)
  if (epoch === undefined || !withinLog(state, header.height)) return
  const isCurrent = epoch === state.epoch
  if (isCurrent && view < state.view) return
  // The manifest is not under the signature, so a wrong one convicts nobody; it must not take the place of the right one either.
  if (!state.config.bindsManifest(header, message.manifest)) return
  const hash = blockHash(header)
  const slot = slotAt(state, header.height)
  const primary = primaryIndex(epoch.set, view)
  const known = slot.proposals.get(primary)
  const place = { height: header.height, view }
  if (known !== undefined && known.view === view && !equalBytes(blockHash(known.header), hash)) {
    blame(state, epoch.set, primary, 'pre-prepare', place, [{ ...known, type: 'pre-prepare' }, { ...message, type: 'pre-prepare' }])
    if (isCurrent && view === state.view) distrustPrimary(state, 'contradiction')
    return
  }
  const accepted = acceptedAt(state, header.height)
  if (isCurrent && accepted?.view === view && !equalBytes(accepted.hash, hash) && known === undefined && state.newView !== undefined) {
    blame(state, epoch.set, primary, 'pre-prepare', place, [{ ...state.newView, type: 'new-view' }, { ...message, type: 'pre-prepare' }])
    distrustPrimary(state, 'contradiction')
    return
  }
  if (known === undefined || view > known.view) slot.proposals.set(primary, message)
  if (isCurrent && accepted?.view === view && accepted.manifest === undefined) {
    slot.accepted = { ...accepted, manifest: message.manifest }
    requestPayload(state, slot.accepted)
  }
}

/** Keeps the vote of the highest view. A contradiction in one view is blamed, and the first stays. */
function keepVote(state: ReplicaState, kind: 'prepare' | 'commit', votes: Map<number, SlotVote>, set: ValidatorSet, vote: SlotVote): void {
  const known = votes.get(vote.validator)
  if (known === undefined || vote.view > known.view) votes.set(vote.validator, vote)
  else if (vote.view === known.view && !equalBytes(vote.blockHash, known.blockHash)) {
    blame(state, set, vote.validator, kind, { height: vote.height, view: vote.view }, [{ ...known, type: kind }, { ...vote, type: kind }])
  }
}

export function onVote(state: ReplicaState, kind: 'prepare' | 'commit', vote: SlotVote): void {
  const epoch = epochAt(state.schedule, vote.height)
  if (epoch === undefined || !withinLog(state, vote.height)) return
  // The own votes are known from the own hand and log, whatever others send around.
  if (epoch === state.epoch && vote.validator === state.self) return
  const slot = slotAt(state, vote.height)
  keepVote(state, kind, kind === 'prepare' ? slot.prepares : slot.commits, epoch.set, vote)
}

export function onPayload(state: ReplicaState, input: PayloadJudged): void {
  const payload = state.payloads.get(toHex(input.blockHash))
  if (payload === undefined || payload.verdict === 'valid') return
  payload.verdict = input.verdict
  // A block whose payload is refused cannot have been made by a correct primary, unless clocks differ; either way another one may do better.
  if (input.verdict === 'invalid' && state.mode === 'normal') {
    const accepted = acceptedAt(state, payload.height)
    if (accepted !== undefined && equalBytes(accepted.hash, input.blockHash)) distrustPrimary(state, 'payload-refused')
  }
}

/** Who may have the payload: those who prepared it had it then, and the primary. */
function holdersOf(state: ReplicaState, hash: Hash, height: Height): Validator[] {
  const holders = new Set<number>([primaryOf(state)])
  const prepared: PreparedBlock[] = []
  const own = state.slots.get(height)?.prepared
  if (own !== undefined) prepared.push(own)
  for (const change of state.newView?.viewChanges ?? []) prepared.push(...change.prepared.filter((one) => one.header.height === height))
  for (const { certificate } of prepared) {
    if (equalBytes(certificate.blockHash, hash)) for (const { validator } of certificate.signatures) holders.add(validator)
  }
  return [...holders].filter((index) => index !== state.self).map((index) => validatorAt(state.epoch, index))
}

/** Asks for what there is no verdict on yet. */
export function requestPayload(state: ReplicaState, { header, hash, manifest }: Pick<Accepted, 'header' | 'hash' | 'manifest'>, holders = holdersOf(state, hash, header.height)): void {
  const key = toHex(hash)
  const verdict = state.payloads.get(key)?.verdict
  if (verdict === 'valid' || verdict === 'invalid') return
  state.payloads.set(key, { height: header.height, verdict: 'asked' })
  state.effects.validate.push({ header, blockHash: hash, holders, ...(manifest === undefined ? {} : { manifest }) })
}

/** Takes a block as the next of this view. */
export function accept(state: ReplicaState, accepted: Accepted): void {
  slotAt(state, accepted.header.height).accepted = accepted
  state.tip = refOf(accepted.header)
  state.moved = true
  requestPayload(state, accepted)
}

export function acceptProposals(state: ReplicaState): boolean {
  let changed = false
  for (;;) {
    const proposal = state.slots.get((state.tip.height + 1) as Height)?.proposals.get(primaryOf(state))
    if (proposal === undefined || proposal.view !== state.view || !mayAccept(state, proposal.header)) return changed
    const { view, header, manifest, signature } = proposal
    accept(state, { view, header, hash: blockHash(header), signature, manifest })
    changed = true
  }
}

export function sendPrepares(state: ReplicaState): boolean {
  const { self } = state
  if (self === undefined || isPrimary(state)) return false
  let changed = false
  for (const height of openHeights(state)) {
    const slot = state.slots.get(height)
    const accepted = acceptedAt(state, height)
    if (slot === undefined || accepted === undefined || slot.prepares.get(self)?.view === state.view || !mayPrepare(state, slot)) continue
    allowUpTo(state, height)
    state.effects.persist.push({ type: 'prepared', view: state.view, header: accepted.header, proposal: accepted.signature })
    broadcast(state.effects, { ...castVote(state, 'prepare', slot, self, accepted.hash), type: 'prepare' })
    changed = true
  }
  return changed
}

/** Signs a vote in the current view and counts it as the own one. */
export function castVote(state: ReplicaState, kind: 'prepare' | 'commit', slot: Slot, self: number, hash: Hash): SlotVote {
  const votes = kind === 'prepare' ? slot.prepares : slot.commits
  assertSignsOnce(votes.get(self), state.view, hash)
  const signature = state.config.sign(voteBytes(kind, state.config.chain, state.view, slot.height, hash))
  const vote: SlotVote = { view: state.view, height: slot.height, blockHash: hash, validator: self, signature }
  votes.set(self, vote)
  return vote
}

/** The predicate prepared(m, v, n, i) of the paper becomes true: kept as a certificate, since a view change must show it. */
export function collectPrepared(state: ReplicaState): boolean {
  let changed = false
  for (const height of openHeights(state)) {
    const slot = state.slots.get(height)
    const accepted = acceptedAt(state, height)
    if (slot === undefined || accepted === undefined || slot.prepared?.certificate.view === state.view || !mayCountPrepared(state, slot)) continue
    const primary = primaryOf(state)
    const signatures: SignatureEntry[] = [{ validator: primary, signature: accepted.signature }]
    for (const vote of slot.prepares.values()) {
      if (vote.view === state.view && vote.validator !== primary && equalBytes(vote.blockHash, accepted.hash)) signatures.push({ validator: vote.validator, signature: vote.signature })
    }
    if (!isQuorum(state.epoch.set, new Set(signatures.map((entry) => entry.validator)))) continue
    signatures.sort((a, b) => a.validator - b.validator)
    const block: PreparedBlock = { header: accepted.header, certificate: { view: state.view, height, blockHash: accepted.hash, signatures } }
    state.effects.persist.push({ ...block, type: 'certificate' })
    if (state.self !== undefined && mayVoteFirst(state, height)) renewAllowance(state, height)
    keepPrepared(state, slot, block)
    changed = true
  }
  return changed
}

/** A later view's certificate replaces an earlier one's, and what stood on another block above it is void. */
export function keepPrepared(state: ReplicaState, slot: Slot, block: PreparedBlock): void {
  slot.prepared = block
  dropUnchained(state, state.anchor)
}

/** Needs no record of its own: the certificate under it is on disk, and binds to the same block. */
export function sendCommits(state: ReplicaState): boolean {
  const { self } = state
  if (self === undefined) return false
  let changed = false
  for (const height of openHeights(state)) {
    const slot = state.slots.get(height)
    const accepted = acceptedAt(state, height)
    if (slot === undefined || accepted === undefined || slot.commits.get(self)?.view === state.view || !mayCommit(state, slot)) continue
    broadcast(state.effects, { ...castVote(state, 'commit', slot, self, accepted.hash), type: 'commit' })
    changed = true
  }
  return changed
}

/** The header of a block that others vote for, wherever it has been seen. */
export function headerOf(slot: Slot, hash: Hash): BlockHeader | undefined {
  if (slot.accepted !== undefined && equalBytes(slot.accepted.hash, hash)) return slot.accepted.header
  if (slot.prepared !== undefined && equalBytes(slot.prepared.certificate.blockHash, hash)) return slot.prepared.header
  for (const { header } of slot.proposals.values()) if (equalBytes(blockHash(header), hash)) return header
  return undefined
}
