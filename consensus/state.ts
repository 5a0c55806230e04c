// What a replica holds. The phases (normal, commit, viewchange, wish, checkpoint, status) are functions over this one object;
// nothing else keeps state. Bounds: slots lie within `window` of the last committed height, and everything in a slot is one entry a validator.
import type { Hash, Height, View } from '../primitives/brand.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import { refOf, type BlockHeader, type BlockRef } from './block.ts'
import type { CheckpointCertificate, Decision, PreparedBlock } from './certificate.ts'
import type { ReplicaConfig } from './config.ts'
import { emptyEffects, type Effects } from './effects.ts'
import type { TimerName } from './input.ts'
import type { Checkpoint, NewView, PrePrepare, SlotVote, ViewChange } from './messages.ts'
import type { WishReason } from './output.ts'
import type { Allowance } from './record.ts'
import { epochAt, epochHash, indexOfKey, latestEpoch, primaryIndex, type Epoch, type Schedule, type Validator } from './validators.ts'
import type { CheckpointContent } from './votes.ts'

/** A block that the primary of `view` proposed here and that we took: by its PrePrepare, or as adopted by its NewView. */
export interface Accepted {
  readonly view: View
  readonly header: BlockHeader
  readonly hash: Hash
  /** The primary's PrePrepare signature. */
  readonly signature: Uint8Array
  readonly manifest?: Uint8Array
}

/** One height above the last committed one. The maps are keyed by index in the validator set of that height; each holds a validator's vote of the highest view. */
export interface Slot {
  readonly height: Height
  readonly proposals: Map<number, PrePrepare>
  readonly prepares: Map<number, SlotVote>
  readonly commits: Map<number, SlotVote>
  /** Counts only while its view is the replica's. */
  accepted: Accepted | undefined
  /** The prepared certificate of the highest view seen here. */
  prepared: PreparedBlock | undefined
}

/** What another validator last said of itself. */
export interface Peer {
  readonly validator: Validator
  epoch: Height
  view: View
  wish: View
  /** Its wish is not one that progress takes back. */
  distrusts: boolean
  committed: Height
}

export interface ReplicaState {
  readonly config: ReplicaConfig
  schedule: Schedule
  latestEpochHash: Hash

  epoch: Epoch
  /** Index of the own key in the epoch's set; undefined for a follower. */
  self: number | undefined
  /** `normal`: entered `view`. `changing`: promised to vote in no lower view, waiting for the NewView of `view`. */
  mode: 'normal' | 'changing'
  view: View
  /** What the chain of this view stands on: final. */
  viewBase: BlockRef
  /** The last block accepted in this view, or what it stands on. */
  tip: BlockRef
  /** Up to here first votes of this view may leave before their records are on the disk; 0: none yet. */
  allowance: Height
  /** The last allowance of the lives before this one (safety.ts, S8). */
  unrecorded: Allowance | undefined
  newView: NewView | undefined
  ownViewChange: ViewChange | undefined
  /** One a validator, the highest view. */
  readonly viewChanges: Map<number, ViewChange>
  /** The view this replica asks for; equal to `view` when content. */
  wish: View
  /** Why it last asked for a higher one. */
  wishReason: WishReason
  /** It asks for another primary because of what this one has done: progress does not take the wish back. */
  distrusts: boolean
  /** By public key in hex. */
  readonly peers: Map<string, Peer>
  /** Something that wish.ts looks at is new. */
  wishesChanged: boolean
  /** Views failed in a row, for the doubling of the timer. */
  failures: number

  committed: BlockRef
  committedDecision: Decision | undefined
  /** The highest final block known with its certificate: the last committed, or the base of a NewView above it. Base of the own ViewChange. */
  anchor: BlockRef
  anchorDecision: Decision | undefined
  /** The certified checkpoint that a NewView showed its base to stand on; the own stable one may be higher by now. */
  anchorCheckpoint: CheckpointCertificate | undefined
  /** Final blocks with their certificates, by height: those committed above the stable checkpoint, and those above the committed one that a NewView showed. */
  readonly finals: Map<Height, Decision>
  readonly slots: Map<Height, Slot>
  /** Verdicts on payloads, by block hash in hex. */
  readonly payloads: Map<string, { readonly height: Height; verdict: 'asked' | 'valid' | 'invalid' }>

  pending: boolean
  /** The last `propose`: not asked again on the same parent in the same view, unless it was refused and there is word of new work. */
  asked: { readonly view: View; readonly parent: Hash; readonly refused: boolean } | undefined

  executed: Height
  /** What execution gave, for heights above the stable checkpoint (the last 2 × window at most). */
  readonly results: Map<Height, CheckpointContent>
  stable: CheckpointCertificate | undefined
  /** A certificate for a height not executed here yet. */
  ahead: CheckpointCertificate | undefined
  readonly checkpoints: Map<Height, Map<number, Checkpoint>>

  /** Set by whatever counts as movement, cleared by the retransmit timer. */
  moved: boolean
  /** Timers that are running. */
  readonly running: Set<TimerName>
  /** The view timer has expired and nothing has moved since. */
  overdue: boolean
  /** Repetitions of the first greeting still to make. */
  greetings: number
  /** Peers answered since the answer timer last expired. */
  readonly answered: Set<string>
  readonly evidence: Map<string, number>
  halted: boolean
  /** The vote log has not been replayed to its end yet (restore.ts): nothing may be signed. */
  replaying: boolean
  effects: Effects
}

export interface InitialState {
  readonly schedule: Schedule
  readonly committed: BlockRef
  readonly decision: Decision | undefined
  /** The final blocks above `stable`, up to the last. */
  readonly unstable: readonly Decision[]
  readonly executed: Height
  readonly stable: CheckpointCertificate | undefined
}

export function initialState(config: ReplicaConfig, initial: InitialState): ReplicaState {
  const epoch = epochAt(initial.schedule, (initial.committed.height + 1) as Height)
  assert(epoch !== undefined, 'the set above the committed height is known')
  assert(config.parameters.window >= 2 * config.parameters.checkpointInterval, 'the window holds two checkpoints')
  const { certificate } = initial.decision ?? {}
  // What was committed in a view of this epoch proves that the view was entered: never vote below it.
  const view = certificate !== undefined && certificate.height >= epoch.activation ? certificate.view : (0 as View)
  return {
    config,
    schedule: initial.schedule,
    latestEpochHash: epochHash(latestEpoch(initial.schedule)),
    epoch,
    self: indexOfKey(epoch.set, config.publicKey),
    mode: view === 0 ? 'normal' : 'changing',
    view,
    viewBase: initial.committed,
    tip: initial.committed,
    allowance: 0 as Height,
    unrecorded: undefined,
    newView: undefined,
    ownViewChange: undefined,
    viewChanges: new Map(),
    wish: view,
    wishReason: 'others',
    distrusts: false,
    peers: new Map(),
    wishesChanged: false,
    failures: 0,
    committed: initial.committed,
    committedDecision: initial.decision,
    anchor: initial.committed,
    anchorDecision: initial.decision,
    anchorCheckpoint: undefined,
    finals: new Map(initial.unstable.map((one) => [one.header.height, one])),
    slots: new Map(),
    payloads: new Map(),
    pending: false,
    asked: undefined,
    executed: initial.executed,
    results: new Map(),
    stable: initial.stable,
    ahead: undefined,
    checkpoints: new Map(),
    moved: false,
    running: new Set(),
    overdue: false,
    greetings: 3,
    answered: new Set(),
    evidence: new Map(),
    halted: false,
    replaying: false,
    effects: emptyEffects(),
  }
}

export function primaryOf(state: ReplicaState): number {
  return primaryIndex(state.epoch.set, state.view)
}

export function isPrimary(state: ReplicaState): boolean {
  return state.self === primaryOf(state)
}

export function validatorAt(epoch: Epoch, index: number): Validator {
  return epoch.set.validators[index] as Validator
}

const keys = new WeakMap<Validator, string>()

/** The public key in hex: names a validator across sets. */
export function keyOf(validator: Validator): string {
  let key = keys.get(validator)
  if (key === undefined) {
    key = toHex(validator.publicKey)
    keys.set(validator, key)
  }
  return key
}

/** Height of the last stable checkpoint: the low watermark (paper, section 4.3). */
export function lowWatermark(state: ReplicaState): Height {
  return state.stable?.content.height ?? (0 as Height)
}

export function highWatermark(state: ReplicaState): Height {
  return (lowWatermark(state) + state.config.parameters.window) as Height
}

/** Sets are known up to the last executed height + window + 1; a block whose successor's set is not known has to wait for execution. */
export function mayDecideNext(state: ReplicaState): boolean {
  return state.committed.height < state.executed + state.config.parameters.window
}

/** Votes and proposals are kept for heights that may open soon, and dropped beyond. */
export function withinLog(state: ReplicaState, height: Height): boolean {
  return height > state.committed.height && height <= state.committed.height + state.config.parameters.window
}

export function slotAt(state: ReplicaState, height: Height): Slot {
  let slot = state.slots.get(height)
  if (slot === undefined) {
    slot = { height, proposals: new Map(), prepares: new Map(), commits: new Map(), accepted: undefined, prepared: undefined }
    state.slots.set(height, slot)
  }
  return slot
}

/** The block accepted at `height` in the current view. */
export function acceptedAt(state: ReplicaState, height: Height): Accepted | undefined {
  const accepted = state.slots.get(height)?.accepted
  return accepted !== undefined && state.mode === 'normal' && accepted.view === state.view ? accepted : undefined
}

export function isOpen(state: ReplicaState): boolean {
  return state.tip.height > state.committed.height
}

/** Before a first vote at this height: an allowance that covers it must be on the disk (safety.ts, S8). */
export function allowUpTo(state: ReplicaState, height: Height): void {
  if (height > state.allowance) renewAllowance(state, height)
}

/** As far above `height` as a pipeline that runs on gets before the next certificate goes to the disk: renewed with each of them, it asks for no sync of its own. */
export function renewAllowance(state: ReplicaState, height: Height): void {
  const upTo = (height + 2 * state.config.pipelineDepth) as Height
  // a new view may adopt more than a pipeline, all voted for before the first of it is certified
  if (upTo <= state.allowance) return
  state.allowance = upTo
  state.effects.persist.push({ type: 'allowance', epoch: state.epoch.activation, view: state.view, height: state.allowance })
}

/** The heights accepted in this view and not committed yet. */
export function* openHeights(state: ReplicaState): Generator<Height> {
  for (let height = state.committed.height + 1; height <= state.tip.height; height++) yield height as Height
}

/** Prepared certificates that do not stand on `ref` any more, from the height above it on, are void: another block took their ancestor's place. */
export function dropUnchained(state: ReplicaState, ref: BlockRef): void {
  let parent = ref
  let broken = false
  for (let height = (ref.height + 1) as Height; height <= ref.height + state.config.parameters.window; height = (height + 1) as Height) {
    const slot = state.slots.get(height)
    if (slot?.prepared === undefined) {
      broken = true
      continue
    }
    if (broken || !equalBytes(slot.prepared.header.parent, parent.hash)) {
      slot.prepared = undefined
      broken = true
    } else parent = refOf(slot.prepared.header)
  }
}
