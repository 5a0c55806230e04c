// Between the wire and the replica: which signatures a message needs, and whether its shape deserves checking them at all. Pure; the node
// checks the listed signatures wherever it likes (worker threads, batches, a cache of those already seen) and brands the message.
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { unreachable } from '../primitives/errors.ts'
import { blockHash, refOf, type BlockRef } from './block.ts'
import { certifies, checkpointChecks, commitChecks, preparedChecks, signersFormQuorum, type CheckpointCertificate, type Decision, type Foundation, type SignatureCheck } from './certificate.ts'
import { newViewBytes, statusBytes, viewChangeBytes, type Message, type NewView, type SignedViewChange, type SlotVote, type Verified } from './messages.ts'
import { isQuorum } from './quorum.ts'
import { epochAt, epochHash, latestEpoch, primaryIndex, setAt, type Schedule, type ValidatorSet } from './validators.ts'
import { checkpointBytes, voteBytes } from './votes.ts'

export interface VerificationContext {
  readonly chain: string
  readonly genesis: BlockRef
  readonly schedule: Schedule
}

/**
 * `unknown-set`: about a height whose validator set this node does not know (yet); not the sender's fault, drop it.
 * `malformed`: no correct validator makes such a message; whoever sent it is at fault.
 */
export type Checks = { readonly ok: true; readonly checks: readonly SignatureCheck[] } | { readonly ok: false; readonly code: 'unknown-set' | 'malformed'; readonly reason: string }

const unknownSet = (height: Height): Checks => ({ ok: false, code: 'unknown-set', reason: `the validator set at height ${height} is not known here` })
const malformed = (reason: string): Checks => ({ ok: false, code: 'malformed', reason })

function both(one: Checks, other: () => Checks): Checks {
  if (!one.ok) return one
  const second = other()
  return second.ok ? { ok: true, checks: [...one.checks, ...second.checks] } : second
}

function single(set: ValidatorSet, validator: number, bytes: Uint8Array, signature: Uint8Array): Checks {
  const member = set.validators[validator]
  if (member === undefined) return malformed('sender is not in the validator set')
  return { ok: true, checks: [{ publicKey: member.publicKey, bytes, signature }] }
}

/** Every signature that must hold for `message` to be taken as Verified, or why it cannot be. */
export function checksOf(message: Message, context: VerificationContext): Checks {
  const { chain, schedule } = context
  switch (message.type) {
    case 'pre-prepare': {
      const { header, view } = message
      const set = setAt(schedule, header.height)
      if (set === undefined) return unknownSet(header.height)
      if (header.chain !== chain) return malformed('block of another chain')
      return single(set, primaryIndex(set, view), voteBytes('pre-prepare', chain, view, header.height, blockHash(header)), message.signature)
    }
    case 'prepare':
    case 'commit':
      return voteChecks(message.type, message, context)
    case 'checkpoint': {
      const set = setAt(schedule, message.content.height)
      if (set === undefined) return unknownSet(message.content.height)
      return single(set, message.validator, checkpointBytes(chain, message.content), message.signature)
    }
    case 'view-change': {
      const { type: _, foundation, ...change } = message
      return both(viewChangeChecks(change, context), () => foundationChecks(change.base, foundation, context))
    }
    case 'new-view':
      return newViewChecks(message, context)
    case 'status': {
      const epoch = epochAt(schedule, message.epoch)
      if (epoch === undefined) return unknownSet(message.epoch)
      if (epoch.activation !== message.epoch) return malformed('no epoch begins there')
      const { type: _, signature, ...content } = message
      return single(epoch.set, message.validator, statusBytes(chain, content), signature)
    }
    case 'certified': {
      const { certificate } = message
      const set = setAt(schedule, certificate.content.height)
      if (set === undefined) return unknownSet(certificate.content.height)
      if (!signersFormQuorum(set, certificate.signatures)) return malformed('checkpoint certificate without a quorum')
      return { ok: true, checks: checkpointChecks(certificate, set, chain) }
    }
    default:
      return unreachable(message)
  }
}

function voteChecks(kind: 'prepare' | 'commit', vote: SlotVote, { chain, schedule }: VerificationContext): Checks {
  const set = setAt(schedule, vote.height)
  if (set === undefined) return unknownSet(vote.height)
  if (kind === 'prepare' && vote.validator === primaryIndex(set, vote.view)) return malformed('a primary prepares by its PrePrepare')
  return single(set, vote.validator, voteBytes(kind, chain, vote.view, vote.height, vote.blockHash), vote.signature)
}

/** A final block as it comes from a peer that we catch up from. */
export function decisionChecks(one: Decision, { chain, schedule }: VerificationContext): Checks {
  const set = setAt(schedule, one.header.height)
  if (set === undefined) return unknownSet(one.header.height)
  if (one.header.chain !== chain) return malformed('block of another chain')
  if (!certifies(one, set)) return malformed('commit certificate is not for this block by a quorum')
  return { ok: true, checks: commitChecks(one.certificate, set, chain) }
}

/**
 * A checkpoint certificate above the heights whose sets are known here, as a node meets it that has been away. It must say itself that no set was scheduled after
 * the last one known here, and be signed by a quorum of the last that is in force at its height: what a phone believes that has followed the sets so far.
 */
export function farCheckpointChecks(certificate: CheckpointCertificate, { chain, schedule }: Pick<VerificationContext, 'chain' | 'schedule'>): Checks {
  const { height, nextSet } = certificate.content
  const set = schedule.epochs.findLast(({ activation }) => activation <= height)?.set
  if (set === undefined || !equalBytes(nextSet, epochHash(latestEpoch(schedule)))) return unknownSet(height)
  if (!signersFormQuorum(set, certificate.signatures)) return malformed('checkpoint certificate without a quorum')
  return { ok: true, checks: checkpointChecks(certificate, set, chain) }
}

const noChecks: Checks = { ok: true, checks: [] }

/** From a certified checkpoint, or the genesis, the final blocks lead up to the base without a gap: so nobody who takes the base lacks the certificate of a block below it. */
function foundationChecks(base: Decision | undefined, foundation: Foundation | undefined, context: VerificationContext): Checks {
  const { chain, schedule, genesis } = context
  if (base === undefined) return foundation === undefined ? noChecks : malformed('a foundation of no base')
  if (foundation === undefined) return malformed('a base without foundation')
  const checks: SignatureCheck[] = []
  let below: Pick<BlockRef, 'height' | 'hash'> = genesis
  const { checkpoint, decided } = foundation
  if (checkpoint !== undefined) {
    const { height, blockHash: hash } = checkpoint.content
    const set = setAt(schedule, height)
    if (set === undefined) return unknownSet(height)
    if (!signersFormQuorum(set, checkpoint.signatures)) return malformed('checkpoint certificate without a quorum')
    checks.push(...checkpointChecks(checkpoint, set, chain))
    below = { height, hash }
  }
  for (const one of decided) {
    if (one.header.height !== below.height + 1 || !equalBytes(one.header.parent, below.hash)) return malformed('final blocks form no chain on the checkpoint')
    const inner = decisionChecks(one, context)
    if (!inner.ok) return inner
    checks.push(...inner.checks)
    below = refOf(one.header)
  }
  const { header, certificate } = base
  const isCheckpoint = decided.length === 0 && header.height === below.height && equalBytes(certificate.blockHash, below.hash)
  if (!isCheckpoint && (header.height !== below.height + 1 || !equalBytes(header.parent, below.hash))) return malformed('the base does not stand on its foundation')
  return { ok: true, checks }
}

/** The base is final, and every block above it is prepared in a view below the new one and stands on the one before. */
function viewChangeChecks(message: SignedViewChange, context: VerificationContext): Checks {
  const { chain, schedule, genesis } = context
  const epoch = epochAt(schedule, message.epoch)
  if (epoch === undefined) return unknownSet(message.epoch)
  if (epoch.activation !== message.epoch) return malformed('no epoch begins there')
  if (message.view === 0) return malformed('nobody changes to view 0')
  const checks: SignatureCheck[] = []

  let parent = genesis
  if (message.base !== undefined) {
    const base = decisionChecks(message.base, context)
    if (!base.ok) return base
    if (message.base.header.height >= epoch.activation && message.base.certificate.view >= message.view) return malformed('base committed in no lower view')
    checks.push(...base.checks)
    parent = refOf(message.base.header)
  }
  const first = epochAt(schedule, (parent.height + 1) as Height)
  if (first === undefined) return unknownSet((parent.height + 1) as Height)
  if (first.activation !== epoch.activation) return malformed('base lies outside the epoch')

  for (const block of message.prepared) {
    const { header, certificate } = block
    const owner = epochAt(schedule, header.height)
    if (owner === undefined) return unknownSet(header.height)
    if (owner !== epoch) return malformed('prepared block lies outside the epoch')
    if (header.chain !== chain || header.height !== parent.height + 1 || !equalBytes(header.parent, parent.hash) || header.timeMs <= parent.timeMs) return malformed('prepared blocks form no chain on the base')
    if (certificate.view >= message.view) return malformed('prepared in no lower view')
    if (!certifies(block, epoch.set)) return malformed('prepared certificate is not for this block by a quorum')
    checks.push(...preparedChecks(certificate, epoch.set, chain))
    parent = refOf(header)
  }

  const { signature, ...rest } = message
  const own = single(epoch.set, message.validator, viewChangeBytes(chain, rest), signature)
  return own.ok ? { ok: true, checks: [...own.checks, ...checks] } : own
}

/** The choice itself is recomputed by the replica, which can then show a wrong one as evidence. */
function newViewChecks(message: NewView, context: VerificationContext): Checks {
  const { chain, schedule } = context
  const epoch = epochAt(schedule, message.epoch)
  if (epoch === undefined) return unknownSet(message.epoch)
  if (epoch.activation !== message.epoch) return malformed('no epoch begins there')
  if (message.view === 0) return malformed('view 0 needs no new view')
  const checks: SignatureCheck[] = []
  const signers = new Set<number>()
  let last = -1
  let base: Decision | undefined
  for (const one of message.viewChanges) {
    if (one.epoch !== message.epoch || one.view !== message.view) return malformed('view change for another view')
    if (one.validator <= last) return malformed('view changes not in order')
    last = one.validator
    signers.add(one.validator)
    const inner = viewChangeChecks(one, context)
    if (!inner.ok) return inner
    checks.push(...inner.checks)
    if (one.base !== undefined && (base === undefined || one.base.header.height > base.header.height)) base = one.base
  }
  if (!isQuorum(epoch.set, signers)) return malformed('view changes form no quorum')

  const primary = primaryIndex(epoch.set, message.view)
  const baseHeight = base?.header.height ?? 0
  const { publicKey } = epoch.set.validators[primary] as ValidatorSet['validators'][number]
  message.adopted.forEach((one, i) => {
    const signed = voteBytes('pre-prepare', chain, message.view, (baseHeight + 1 + i) as Height, one.blockHash)
    checks.push({ publicKey, bytes: signed, signature: one.signature })
  })
  const { signature, foundation, ...rest } = message
  const own = single(epoch.set, primary, newViewBytes(chain, rest), signature)
  return both(own, () => both({ ok: true, checks }, () => foundationChecks(base, foundation, context)))
}

/** For the verifier alone, after every listed check has held. */
export function asVerified<T extends Message | Decision>(value: T): Verified<T> {
  return value as Verified<T>
}

/** All in one, for tests, tools and small clients: undefined when anything does not hold. */
export function verifyMessage<T extends Message>(message: T, context: VerificationContext, verify: (check: SignatureCheck) => boolean): Verified<T> | undefined {
  const result = checksOf(message, context)
  return result.ok && result.checks.every(verify) ? asVerified(message) : undefined
}

export function verifyDecision(one: Decision, context: VerificationContext, verify: (check: SignatureCheck) => boolean): Verified<Decision> | undefined {
  const result = decisionChecks(one, context)
  return result.ok && result.checks.every(verify) ? asVerified(one) : undefined
}
