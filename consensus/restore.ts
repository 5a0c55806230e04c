// A replica from what it left behind: the block store's word on the chain, and the vote log, replayed in order. What was sent is told by its records, or lies within the
// last allowance, where no first vote is given any more: so what is rebuilt is bound by everything that anyone can have received, wherever the crash came.
import type { Hash, Height } from '../primitives/brand.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { assert, unreachable } from '../primitives/errors.ts'
import { raiseAnchor } from './anchor.ts'
import { blockHash, refOf, type BlockHeader } from './block.ts'
import type { CheckpointCertificate, Decision } from './certificate.ts'
import { resumeCheckpoint } from './checkpoint.ts'
import { decide } from './commit.ts'
import { emptyEffects } from './effects.ts'
import type { ReplicaConfig } from './config.ts'
import { accept, castVote, keepPrepared, requestPayload } from './normal.ts'
import type { LogRecord } from './record.ts'
import { acceptedAt, initialState, lowWatermark, mayDecideNext, slotAt, withinLog, type Accepted, type ReplicaState } from './state.ts'
import { epochHash, indexOfKey, primaryIndex, scheduleOf, setAt, type Epoch } from './validators.ts'
import { resumeNewView, resumeViewChange } from './viewchange.ts'
import { voteBytes } from './votes.ts'

export interface ReplicaPoint {
  /** Ascending: every set that executing the chain up to `executed` has scheduled; the genesis set first, with activation 1. */
  readonly epochs: readonly Epoch[]
  /** The final blocks that the store holds durably above `stable`, and always the last of all; lowest first, without a gap. None for a chain at its genesis. */
  readonly decisions?: readonly Decision[]
  /** The last height executed, and what it gave; at most the height of the last decision. Blocks between the two are executed by the driver, and told as `executed`. */
  readonly executed?: { readonly height: Height; readonly blockHash: Hash; readonly stateRoot: Hash }
  readonly stable?: CheckpointCertificate
  /** The manifest of a block that this replica itself proposed, if it is still there: so that it can be proposed again after a restart. */
  readonly manifestOf?: (header: BlockHeader) => Uint8Array | undefined
}

export function restoreState(config: ReplicaConfig, point: ReplicaPoint): ReplicaState {
  const { epochs, decisions = [], executed, stable } = point
  const decision = decisions[decisions.length - 1]
  const { window } = config.parameters
  const executedHeight = executed?.height ?? (0 as Height)
  const schedule = scheduleOf(epochs, executedHeight, window)
  const committed = decision === undefined ? config.genesis : refOf(decision.header)
  assert(executedHeight <= committed.height && committed.height <= executedHeight + window, 'the store is executed up to within a window of its last block')
  const unstable = decisions.filter(({ header }) => header.height > (stable?.content.height ?? 0))
  const state = initialState(config, { schedule, committed, decision, unstable, executed: executedHeight, stable })
  if (executed !== undefined) {
    const last = epochs[epochs.length - 1] as Epoch
    state.results.set(executed.height, { ...executed, nextSet: epochHash(last) })
  }
  return state
}

/** Replays records until all are used or one needs more to be executed; gives back those left. Of the effects only `deliver` (of blocks that the store lacks) and `validate` are real. */
export function replay(state: ReplicaState, records: readonly LogRecord[], manifestOf: ReplicaPoint['manifestOf']): readonly LogRecord[] {
  const before = state.effects
  state.effects = emptyEffects()
  let at = 0
  for (; at < records.length; at++) {
    const record = records[at] as LogRecord
    if (record.type === 'committed' && record.header.height === state.committed.height + 1 && !mayDecideNext(state)) break
    replayOne(state, record, manifestOf)
  }
  const { deliver } = state.effects
  state.effects = before
  state.effects.deliver.push(...deliver)
  state.replaying = at < records.length
  if (!state.replaying) requestPayloads(state)
  return records.slice(at)
}

/** No record says that a payload is still here. The driver is asked for all that a vote may rest on, and keeps what it is asked for; what it has it answers for at once. */
function requestPayloads(state: ReplicaState): void {
  state.payloads.clear()
  for (let height = (state.committed.height + 1) as Height; withinLog(state, height); height = (height + 1) as Height) {
    const accepted = acceptedAt(state, height)
    if (accepted !== undefined) requestPayload(state, accepted)
    const prepared = state.slots.get(height)?.prepared
    if (prepared !== undefined && !state.payloads.has(toHex(prepared.certificate.blockHash))) requestPayload(state, { header: prepared.header, hash: prepared.certificate.blockHash })
  }
}

function replayOne(state: ReplicaState, record: LogRecord, manifestOf: ReplicaPoint['manifestOf']): void {
  switch (record.type) {
    case 'committed': {
      const { header, certificate } = record
      if (header.height === state.committed.height + 1) decide(state, { header, certificate })
      return
    }
    case 'proposed': {
      const { view, header } = record
      const hash = blockHash(header)
      if (!isCurrent(state, view, header.height)) return
      const manifest = manifestOf?.(header)
      const signature = state.config.sign(voteBytes('pre-prepare', state.config.chain, view, header.height, hash))
      reaccept(state, { view, header, hash, signature, ...(manifest === undefined ? {} : { manifest }) })
      return
    }
    case 'prepared': {
      const { view, header, proposal } = record
      const hash = blockHash(header)
      if (!isCurrent(state, view, header.height)) return
      reaccept(state, { view, header, hash, signature: proposal })
      castVote(state, 'prepare', slotAt(state, header.height), state.self as number, hash)
      return
    }
    case 'certificate': {
      const { header, certificate } = record
      if (header.height <= state.committed.height) return
      const signature = certificate.signatures.find((entry) => entry.validator === primaryIndex(state.epoch.set, certificate.view))?.signature
      if (signature !== undefined && isCurrent(state, certificate.view, header.height)) reaccept(state, { view: certificate.view, header, hash: certificate.blockHash, signature })
      keepPrepared(state, slotAt(state, header.height), { header, certificate })
      return
    }
    case 'anchor':
      raiseAnchor(state, { header: record.header, certificate: record.certificate }, record.foundation)
      return
    case 'wished':
      return
    case 'allowance':
      state.unrecorded = record
      if (record.epoch === state.epoch.activation && record.view === state.view) state.allowance = record.height
      return
    case 'viewChange':
      resumeViewChange(state, record)
      return
    case 'newView':
      resumeNewView(state, record)
      return
    case 'checkpoint': {
      const set = setAt(state.schedule, record.height)
      const self = set === undefined ? undefined : indexOfKey(set, state.config.publicKey)
      if (self !== undefined && record.height > lowWatermark(state)) resumeCheckpoint(state, record, self)
      return
    }
    case 'halted':
      state.halted = true
      return
    default:
      unreachable(record)
  }
}

/** A vote of the view that the replay has reached. Votes of views that were left bind nothing any more: the view itself does. */
function isCurrent(state: ReplicaState, view: number, height: Height): boolean {
  return state.self !== undefined && state.mode === 'normal' && view === state.view && height > state.committed.height
}

function reaccept(state: ReplicaState, accepted: Accepted): void {
  const { header } = accepted
  const isNext = header.height === state.tip.height + 1 && equalBytes(header.parent, state.tip.hash)
  if (acceptedAt(state, header.height) === undefined && isNext) accept(state, accepted)
}

/**
 * What a log ends with when everything else is on the disk and nothing is signed any more: the next life need not take care of this one's allowance, but of an earlier
 * one's. undefined while the log has not been replayed to its end, or when nothing was allowed in this view.
 */
export function closingRecord({ epoch, view, allowance, replaying, unrecorded }: ReplicaState): LogRecord | undefined {
  if (allowance === 0 || replaying) return undefined
  const stillBinds = unrecorded?.epoch === epoch.activation && unrecorded.view === view
  return { type: 'allowance', epoch: epoch.activation, view, height: stillBinds ? unrecorded.height : (0 as Height) }
}

/** How far the store and the last stable checkpoint have come, durably. */
export interface Durable {
  readonly stored: Height
  readonly stable: Height
}

/**
 * The records that a log may be cut down to, in an order that replays to the same replica: what `stored` and `stable` make superfluous goes,
 * and of what replaced each other only the last stays, of wishes the highest. Appending goes on behind them.
 */
export function neededRecords(records: readonly LogRecord[], { stored, stable }: Durable): LogRecord[] {
  const committed = records.filter((one) => one.type === 'committed' && one.header.height > stored)
  const top = records.reduce((height, one) => (one.type === 'committed' ? Math.max(height, one.header.height) : height), stored as number)
  const last = new Map<string, LogRecord>()
  const keep = (key: string, one: LogRecord): void => {
    last.delete(key)
    last.set(key, one)
  }
  let wished: Extract<LogRecord, { type: 'wished' }> | undefined
  for (const one of records) {
    switch (one.type) {
      case 'committed':
        break
      case 'anchor':
        if (one.header.height > top) keep('anchor', one)
        break
      case 'wished':
        if (wished === undefined || one.epoch > wished.epoch || (one.epoch === wished.epoch && one.view > wished.view)) wished = one
        break
      case 'viewChange':
      case 'newView':
        keep('view', one)
        break
      case 'certificate':
      case 'proposed':
      case 'prepared':
        if (one.header.height > top) keep(`${one.type} ${one.header.height}`, one)
        break
      case 'checkpoint':
        if (one.height > stable) keep(`${one.type} ${one.height}`, one)
        break
      case 'allowance':
      case 'halted':
        keep(one.type, one)
        break
      default:
        unreachable(one)
    }
  }
  const of = (...types: readonly LogRecord['type'][]): LogRecord[] => [...last.values()].filter((one) => types.includes(one.type))
  const certificates = [...last.values()].filter((one) => one.type === 'certificate').sort((a, b) => a.header.height - b.header.height)
  return [...committed, ...of('anchor'), ...(wished === undefined ? [] : [wished]), ...of('viewChange', 'newView'), ...of('allowance'), ...certificates, ...of('proposed', 'prepared'), ...of('checkpoint', 'halted')]
}
