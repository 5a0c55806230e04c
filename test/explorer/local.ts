// One correct replica as an exploration sees it: the real state, what it has said and what is on its disk. Two of them are the same when nothing that
// can still happen tells them apart, so votes that have not made a quorum, and who signed a certificate, are left out of the comparison: a quorum's votes
// are always handed over together (moves.ts).
import { emptyEffects } from '../../consensus/effects.ts'
import type { Decision } from '../../consensus/certificate.ts'
import type { Input } from '../../consensus/input.ts'
import type { Message } from '../../consensus/messages.ts'
import { needsDisk, type Output } from '../../consensus/output.ts'
import type { LogRecord } from '../../consensus/record.ts'
import { stepState } from '../../consensus/replica.ts'
import { replay, restoreState } from '../../consensus/restore.ts'
import { brokenInvariants } from '../../consensus/safety.ts'
import { acceptedAt, type ReplicaState } from '../../consensus/state.ts'
import { blockHash, type BlockHeader, type BlockRef } from '../../consensus/block.ts'
import type { Height } from '../../primitives/brand.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { ExploredWorld } from './world.ts'

export class Broken extends Error {}

export interface Local {
  readonly index: number
  readonly state: ReplicaState
  readonly log: readonly LogRecord[]
  /** So many of the records are on the disk for sure; of the others any beginning may be. */
  readonly synced: number
  /** What it has ever said that binds it, by what it says. */
  readonly sent: ReadonlyMap<string, Message>
  /** Names of the blocks that it has delivered, over all its lives, lowest first. */
  readonly delivered: readonly string[]
  readonly restarts: number
  /** The same in replicas that nothing tells apart but their index. */
  readonly key: string
}

export function cloneState(state: ReplicaState): ReplicaState {
  return {
    ...state,
    viewChanges: new Map(state.viewChanges),
    peers: new Map([...state.peers].map(([key, peer]) => [key, { ...peer }])),
    slots: new Map([...state.slots].map(([height, slot]) => [height, { ...slot, proposals: new Map(slot.proposals), prepares: new Map(slot.prepares), commits: new Map(slot.commits) }])),
    payloads: new Map([...state.payloads].map(([key, payload]) => [key, { ...payload }])),
    results: new Map(state.results),
    finals: new Map(state.finals),
    checkpoints: new Map([...state.checkpoints].map(([height, votes]) => [height, new Map(votes)])),
    running: new Set(state.running),
    answered: new Set(state.answered),
    evidence: new Map(state.evidence),
    effects: emptyEffects(),
  }
}

/** What a message says, signatures and signers of certificates left out; undefined for what binds to nothing. */
export function nameOfMessage(world: ExploredWorld, message: Message): string | undefined {
  const name = (hash: Uint8Array): string => world.nameOf(hash)
  switch (message.type) {
    case 'pre-prepare':
      return `P ${message.view} ${message.header.height} ${name(blockHash(message.header))}`
    case 'prepare':
      return `p ${message.view} ${message.height} ${name(message.blockHash)}`
    case 'commit':
      return `c ${message.view} ${message.height} ${name(message.blockHash)}`
    case 'view-change': {
      const { base, prepared } = message
      return `V ${message.view} on ${base === undefined ? '-' : `${name(base.certificate.blockHash)}@${base.certificate.view}`} [${prepared.map(({ certificate }) => `${name(certificate.blockHash)}@${certificate.view}`).join(' ')}]`
    }
    case 'new-view': {
      const bases = message.viewChanges.map(({ base }) => base).filter((base) => base !== undefined).sort((a, b) => b.header.height - a.header.height)
      return `N ${message.view} on ${bases[0] === undefined ? '-' : name(bases[0].certificate.blockHash)} [${message.adopted.map((one) => name(one.blockHash)).join(' ')}]`
    }
    case 'checkpoint':
    case 'status':
    case 'certified':
      return undefined
  }
}

function nameOfRecord(world: ExploredWorld, record: LogRecord): string {
  const name = (hash: Uint8Array): string => world.nameOf(hash)
  switch (record.type) {
    case 'proposed':
    case 'prepared':
      return `${record.type} ${record.view} ${name(blockHash(record.header))}`
    case 'certificate':
    case 'committed':
    case 'anchor':
      return `${record.type} ${record.certificate.view} ${name(record.certificate.blockHash)}`
    case 'viewChange':
      return nameOfMessage(world, { ...record, type: 'view-change' }) ?? ''
    case 'newView':
      return nameOfMessage(world, { ...record, type: 'new-view' }) ?? ''
    case 'allowance':
      return `${record.type} ${record.view} ${record.height}`
    case 'checkpoint':
    case 'halted':
    case 'wished':
      return record.type
  }
}

function keyOf(world: ExploredWorld, one: Omit<Local, 'key'>): string {
  const { state } = one
  const ref = ({ hash }: BlockRef): string => world.nameOf(hash)
  const decided = (decision: Decision | undefined): string => (decision === undefined ? '' : `@${decision.certificate.view}`)
  const slots: string[] = []
  for (let height = 1; height <= world.bounds.heights; height++) {
    const accepted = acceptedAt(state, height as Height)
    const prepared = state.slots.get(height as Height)?.prepared
    slots.push(`${accepted === undefined ? '' : world.nameOf(accepted.hash)}/${prepared === undefined ? '' : `${world.nameOf(prepared.certificate.blockHash)}@${prepared.certificate.view}`}`)
  }
  const names = (records: readonly LogRecord[]): string => [...new Set(records.filter(({ type }) => type !== 'wished').map((record) => nameOfRecord(world, record)))].join(',')
  const log = world.bounds.restarts > one.restarts ? `${names(one.log.slice(0, one.synced))} + ${names(one.log.slice(one.synced))}` : ''
  return [
    `${state.mode} ${state.view}${state.ownViewChange === undefined ? '' : ' waiting'}`,
    `committed ${ref(state.committed)}${decided(state.committedDecision)} anchor ${ref(state.anchor)}${decided(state.anchorDecision)} base ${ref(state.viewBase)} tip ${ref(state.tip)}`,
    slots.join(' '),
    [...one.sent.keys()].sort().join(','),
    one.delivered.join(','),
    `${one.restarts}`,
    log,
  ].join(' | ')
}

export function startOf(world: ExploredWorld, index: number): Local {
  const state = restoreState(world.configOf(index), { epochs: [world.epoch] })
  const blank = { index, state, log: [], synced: 0, sent: new Map<string, Message>(), delivered: [], restarts: 0 }
  return run(world, { ...blank, key: '' }, [{ type: 'start' }, { type: 'work', pending: true }])
}

/** The same replica after these inputs, its driver answering at once. Throws Broken, or an AssertionError, when something must not be. */
export function apply(world: ExploredWorld, from: Local, inputs: readonly Input[]): Local {
  return run(world, { ...from, state: cloneState(from.state) }, inputs)
}

/** As `apply`, on a state that nobody else holds. */
function run(world: ExploredWorld, from: Local, inputs: readonly Input[]): Local {
  const { state } = from
  const log = [...from.log]
  let { synced } = from
  const sent = new Map(from.sent)
  const delivered = [...from.delivered]
  const queue = [...inputs]
  for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
    const committed = state.committed.height
    const output = stepState(state, input)
    log.push(...output.persist)
    if (needsDisk(output)) synced = log.length
    for (const { message } of output.send) say(world, { index: from.index, sent, committed }, message)
    queue.push(...answers(world, state, output, from.restarts, delivered))
  }
  const broken = brokenInvariants(state)
  if (broken.length > 0) throw new Broken(`v${from.index}: ${broken.join('; ')}`)
  const next = { index: from.index, state, log, synced, sent, delivered, restarts: from.restarts }
  return { ...next, key: keyOf(world, next) }
}

/** A driver's duties: payloads are there, execution follows at once, whoever is asked proposes up to the last height. */
function answers(world: ExploredWorld, state: ReplicaState, output: Output, restarts: number, delivered: string[]): Input[] {
  const inputs: Input[] = output.validate.map((one) => ({ type: 'payload', blockHash: one.blockHash, verdict: 'valid' }))
  for (const decision of output.deliver) {
    const { header } = decision
    const { height } = header
    const name = world.nameOf(blockHash(header))
    if (!world.isDecision(decision)) throw new Broken(`${name} is delivered with a certificate that nobody takes`)
    if (delivered.length >= height && delivered[height - 1] !== name) throw new Broken(`two histories: ${delivered[height - 1]} and ${name} delivered at ${height}`)
    if (height > delivered.length + 1) throw new Broken(`${height} delivered after ${delivered.length}`)
    delivered[height - 1] = name
    inputs.push({ type: 'executed', height, blockHash: blockHash(header), stateRoot: taggedHash('explored-root', blockHash(header)) })
  }
  if (output.propose !== undefined) {
    const { view, height, parent } = output.propose
    if (height > world.bounds.heights) inputs.push({ type: 'noProposal', view, height })
    else {
      const { header, manifest } = world.block(view, { height: state.tip.height, hash: parent, timeMs: state.tip.timeMs }, `x${restarts === 0 ? '' : restarts}`)
      inputs.push({ type: 'proposal', view, height, parent, timeMs: header.timeMs, payload: header.payload, payloadCount: 1, manifest })
    }
  }
  return inputs
}

/** Everything that a correct replica says is checked against all that it has said before, in whatever life. */
function say(world: ExploredWorld, { index, sent, committed }: { readonly index: number; readonly sent: Map<string, Message>; readonly committed: Height }, message: Message): void {
  const name = nameOfMessage(world, message)
  if (name === undefined || sent.has(name)) return
  if (world.verified(message) === undefined) throw new Broken(`v${index} says what is not taken: ${name}`)
  const promised = Math.max(0, ...[...sent.values()].map((one) => (one.type === 'view-change' ? one.view : 0)))
  const once = (place: string, what: string): void => {
    for (const said of sent.keys()) if (said.startsWith(place) && said !== `${place}${what}`) throw new Broken(`v${index} says ${said} and ${place}${what}`)
  }
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit': {
      const height = message.type === 'pre-prepare' ? message.header.height : message.height
      const place = `${message.type === 'pre-prepare' ? 'P' : message.type === 'prepare' ? 'p' : 'c'} ${message.view} ${height} `
      once(place, name.slice(place.length))
      if (message.view < promised) throw new Broken(`v${index} says ${name} after its ViewChange to ${promised}`)
      // of this life: that a block is final may be lost with the disk's tail
      if (height <= committed) throw new Broken(`v${index} says ${name} after committing ${committed}`)
      break
    }
    case 'view-change':
    case 'new-view': {
      if (message.type === 'new-view' && world.primary(message.view) !== index) return
      const place = `${message.type === 'view-change' ? 'V' : 'N'} ${message.view} `
      once(place, name.slice(place.length))
      break
    }
    default:
      return
  }
  sent.set(name, message)
}

/** Its power is cut and comes back: `records` is what the disk kept, the store has nothing. */
export function restarted(world: ExploredWorld, from: Local, records: readonly LogRecord[]): Local {
  const state = restoreState(world.configOf(from.index), { epochs: [world.epoch] })
  const manifestOf = (header: BlockHeader): Uint8Array | undefined => {
    const name = world.nameOf(blockHash(header))
    return name === '?' ? undefined : world.named(name).manifest
  }
  const left = replay(state, records, manifestOf)
  if (left.length > 0) throw new Error('the log is longer than an exploration makes it')
  const inputs: Input[] = [{ type: 'start' }, { type: 'work', pending: true }]
  return run(world, { ...from, state, log: records, synced: records.length, restarts: from.restarts + 1 }, inputs)
}
