// A validator set with keys, the things it signs, and replicas driven by hand: what the tests of this folder are made of.
import { blockHash, refOf, type BlockHeader, type BlockRef } from '../../consensus/block.ts'
import type { Decision, PreparedBlock, SlotCertificate } from '../../consensus/certificate.ts'
import { defaultTiming, type ConsensusParameters, type ReplicaConfig } from '../../consensus/config.ts'
import type { Input, TimerName } from '../../consensus/input.ts'
import { newViewBytes, statusBytes, viewChangeBytes, type Message, type MessageOf, type StatusContent, type ViewChange } from '../../consensus/messages.ts'
import { chooseChain } from '../../consensus/newview.ts'
import type { Output } from '../../consensus/output.ts'
import { quorumSize } from '../../consensus/quorum.ts'
import type { LogRecord } from '../../consensus/record.ts'
import { restoreReplica, type Replica } from '../../consensus/replica.ts'
import type { ReplicaPoint } from '../../consensus/restore.ts'
import { scheduleOf, type Epoch, type Validator, type ValidatorSet } from '../../consensus/validators.ts'
import { asVerified, type VerificationContext } from '../../consensus/verification.ts'
import { checkpointBytes, voteBytes, type CheckpointContent, type VoteKind } from '../../consensus/votes.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { equalBytes, utf8 } from '../../primitives/bytes.ts'
import { taggedHash, zeroHash } from '../../primitives/hash.ts'
import { keyring, type Keyring } from '../simulator/keys.ts'

export const chain = 'test'
export const genesis: BlockRef = { height: 0 as Height, hash: taggedHash('test-genesis', utf8('genesis')), timeMs: 0 as TimeMs }
export const at = (height: number): Height => height as Height
export const inView = (view: number): View => view as View
export const hashOf = (text: string): Hash => taggedHash('test', utf8(text))

/** Every primary of a network: one manifest a block, named by its text. */
export function headerOn(parent: BlockRef, label: string, proposer = 0): BlockHeader {
  return { chain, height: at(parent.height + 1), parent: parent.hash, timeMs: (parent.timeMs + 10) as TimeMs, proposer, payload: taggedHash('payload', utf8(label)), payloadCount: 1 }
}

export function chainOn(parent: BlockRef, labels: readonly string[], proposer = 0): BlockHeader[] {
  const out: BlockHeader[] = []
  let head = parent
  for (const label of labels) {
    const header = headerOn(head, label, proposer)
    out.push(header)
    head = refOf(header)
  }
  return out
}

export interface Committee {
  readonly keys: Keyring['keys']
  readonly set: ValidatorSet
  readonly epoch: Epoch
  readonly context: VerificationContext
  readonly verify: Keyring['verify']
  readonly vote: (kind: 'prepare' | 'commit', validator: number, view: number, header: BlockHeader) => MessageOf<'prepare' | 'commit'>
  readonly prePrepare: (view: number, header: BlockHeader, manifest: string) => MessageOf<'pre-prepare'>
  readonly certificate: (kind: 'prepared' | 'commit', view: number, header: BlockHeader, signers?: readonly number[]) => SlotCertificate
  readonly prepared: (view: number, header: BlockHeader) => PreparedBlock
  readonly decision: (view: number, header: BlockHeader) => Decision
  readonly viewChange: (validator: number, view: number, prepared?: readonly PreparedBlock[], base?: Decision) => MessageOf<'view-change'>
  readonly newView: (view: number, viewChanges: readonly ViewChange[], adopted?: readonly BlockHeader[]) => MessageOf<'new-view'>
  readonly checkpoint: (validator: number, content: CheckpointContent) => MessageOf<'checkpoint'>
  readonly certified: (content: CheckpointContent, signers?: readonly number[]) => MessageOf<'certified'>
  readonly status: (content: StatusContent) => MessageOf<'status'>
}

export const parameters: ConsensusParameters = { window: 8, checkpointInterval: 1 }

export function committee(n: number, minimums: ValidatorSet['minimums'] = []): Committee {
  const { keys, verify } = keyring(n, false)
  const validators: Validator[] = keys.map(({ publicKey }, i) => ({ name: `v${i}`, organisation: i % 2 === 0 ? 'city' : 'bank', publicKey }))
  const set: ValidatorSet = { validators, minimums }
  const epoch: Epoch = { activation: at(1), set }
  const quorum = Array.from({ length: quorumSize(n) }, (_, i) => i)
  const sign = (validator: number, bytes: Uint8Array): Uint8Array => (keys[validator] as Keyring['keys'][number]).sign(bytes)
  const slotVote = (kind: VoteKind, validator: number, view: number, header: BlockHeader): Uint8Array => sign(validator, voteBytes(kind, chain, inView(view), header.height, blockHash(header)))
  const certificate: Committee['certificate'] = (kind, view, header, signers) => {
    const primary = view % n
    const chosen = signers ?? (quorum.includes(primary) ? quorum : [...quorum.slice(0, -1), primary])
    const kindOf = (validator: number): VoteKind => (kind === 'commit' ? 'commit' : validator === primary ? 'pre-prepare' : 'prepare')
    return { view: inView(view), height: header.height, blockHash: blockHash(header), signatures: chosen.map((validator) => ({ validator, signature: slotVote(kindOf(validator), validator, view, header) })) }
  }
  return {
    keys,
    set,
    epoch,
    verify,
    context: { chain, genesis, schedule: scheduleOf([epoch], at(0), parameters.window) },
    vote: (kind, validator, view, header) => ({ type: kind, view: inView(view), height: header.height, blockHash: blockHash(header), validator, signature: slotVote(kind, validator, view, header) }),
    prePrepare: (view, header, manifest) => ({ type: 'pre-prepare', view: inView(view), header, manifest: utf8(manifest), signature: slotVote('pre-prepare', view % n, view, header) }),
    certificate,
    prepared: (view, header) => ({ header, certificate: certificate('prepared', view, header) }),
    decision: (view, header) => ({ header, certificate: certificate('commit', view, header) }),
    viewChange: (validator, view, prepared = [], base) => {
      const content = { epoch: at(1), view: inView(view), validator, prepared, ...(base === undefined ? {} : { base }) }
      return { type: 'view-change', ...content, signature: sign(validator, viewChangeBytes(chain, content)) }
    },
    newView: (view, viewChanges, adopted = chooseChain(viewChanges, genesis).adopted) => {
      const primary = view % n
      const content = {
        epoch: at(1),
        view: inView(view),
        viewChanges: viewChanges.map(({ epoch: inEpoch, view: to, validator, prepared, base, signature }) => ({ epoch: inEpoch, view: to, validator, prepared, ...(base === undefined ? {} : { base }), signature })),
        adopted: adopted.map((header) => ({ blockHash: blockHash(header), signature: slotVote('pre-prepare', primary, view, header) })),
      }
      return { type: 'new-view', ...content, signature: sign(primary, newViewBytes(chain, content)) }
    },
    checkpoint: (validator, content) => ({ type: 'checkpoint', content, validator, signature: sign(validator, checkpointBytes(chain, content)) }),
    certified: (content, signers = quorum) => ({ type: 'certified', certificate: { content, signatures: signers.map((validator) => ({ validator, signature: sign(validator, checkpointBytes(chain, content)) })) } }),
    status: (content) => ({ type: 'status', ...content, signature: sign(content.validator, statusBytes(chain, content)) }),
  }
}

export function configOf(people: Committee, index: number, overrides: Partial<ReplicaConfig> = {}): ReplicaConfig {
  const key = people.keys[index] as Keyring['keys'][number]
  return {
    chain,
    genesis,
    parameters,
    timing: defaultTiming,
    pipelineDepth: 4,
    publicKey: key.publicKey,
    sign: key.sign,
    bindsManifest: (header, manifest) => equalBytes(taggedHash('payload', manifest), header.payload),
    ...overrides,
  }
}

/** One replica with a driver that persists at once, finds every payload valid and executes every block at once. */
export class Driven {
  readonly config: ReplicaConfig
  replica: Replica
  readonly log: LogRecord[] = []
  /** Everything that left, in order, with the length of the log that had to be on disk before. */
  readonly sent: { readonly message: Message; readonly needs: number; readonly to: Validator | 'all' }[] = []
  readonly delivered: Decision[] = []
  readonly outputs: Output[] = []
  readonly timers = new Map<TimerName, number>()
  /** What it may put into blocks. */
  readonly work: string[] = []
  root: (height: number) => Hash = (height) => hashOf(`root ${height}`)
  nextSet: (height: number) => Epoch | undefined = () => undefined
  executes = true
  findsValid = true

  constructor(config: ReplicaConfig, point: ReplicaPoint, records: readonly LogRecord[] = []) {
    this.config = config
    this.replica = restoreReplica(config, point, records)
    this.log.push(...records)
    this.give({ type: 'start' })
  }

  give(input: Input): Output {
    const output = this.replica.step(input)
    this.outputs.push(output)
    this.log.push(...output.persist)
    for (const { to, message } of output.send) this.sent.push({ to, message, needs: this.log.length })
    for (const { name, afterMs } of output.timers) {
      if (afterMs === undefined) this.timers.delete(name)
      else this.timers.set(name, afterMs)
    }
    for (const { blockHash: block } of output.validate) if (this.findsValid) this.give({ type: 'payload', blockHash: block, verdict: 'valid' })
    for (const decision of output.deliver) {
      this.delivered.push(decision)
      const { height } = decision.header
      const nextSet = this.nextSet(height)
      if (this.executes) this.give({ type: 'executed', height, blockHash: blockHash(decision.header), stateRoot: this.root(height), ...(nextSet === undefined ? {} : { nextSet }) })
    }
    const { propose } = output
    if (propose !== undefined) {
      const label = this.work.shift()
      if (label === undefined) this.give({ type: 'noProposal', view: propose.view, height: propose.height })
      else {
        const payload = taggedHash('payload', utf8(label))
        this.give({ type: 'proposal', view: propose.view, height: propose.height, parent: propose.parent, timeMs: (propose.parentTimeMs + 10) as TimeMs, payload, payloadCount: 1, manifest: utf8(label) })
      }
    }
    return output
  }

  hear(...messages: readonly Message[]): void {
    for (const message of messages) this.give({ type: 'message', message: asVerified(message) })
  }

  expire(name: TimerName): void {
    this.timers.delete(name)
    this.give({ type: 'timer', name })
  }

  /** What it said of one kind. */
  said<K extends Message['type']>(type: K): MessageOf<K>[] {
    return this.sent.map(({ message }) => message).filter((one): one is MessageOf<K> => one.type === type)
  }

  get status() {
    return this.replica.status()
  }
}

export function newcomer(people: Committee, index: number, overrides: Partial<ReplicaConfig> = {}): Driven {
  return new Driven(configOf(people, index, overrides), { epochs: [people.epoch] })
}

/** A whole network; what was sent is carried by `run`, in the order that `pick` chooses. */
export class Net {
  readonly replicas: Driven[]
  readonly #taken: number[]
  cut = new Set<number>()

  constructor(replicas: Driven[]) {
    this.replicas = replicas
    this.#taken = replicas.map(() => 0)
  }

  /** Carries messages until nobody has anything left to say. */
  run(pick: (n: number) => number = () => 0, drop: (from: number, to: number, message: Message) => boolean = () => false): void {
    const queue: { readonly from: number; readonly to: number; readonly message: Message }[] = []
    for (;;) {
      this.replicas.forEach((replica, from) => {
        for (; (this.#taken[from] as number) < replica.sent.length; this.#taken[from] = (this.#taken[from] as number) + 1) {
          const { to, message } = replica.sent[this.#taken[from] as number] as Driven['sent'][number]
          this.replicas.forEach((other, i) => {
            if (i !== from && (to === 'all' || equalBytes(to.publicKey, other.config.publicKey))) queue.push({ from, to: i, message })
          })
        }
      })
      const [next] = queue.splice(pick(queue.length), 1)
      if (next === undefined) return
      if (this.cut.has(next.from) || this.cut.has(next.to) || drop(next.from, next.to, next.message)) continue
      this.replicas[next.to]?.hear(next.message)
    }
  }
}

export function network(people: Committee, overrides: Partial<ReplicaConfig> = {}): Net {
  return new Net(people.keys.map((_, i) => newcomer(people, i, overrides)))
}

export function contentAt(height: number, header: BlockHeader, root = hashOf(`root ${height}`), nextSet: Hash = zeroHash): CheckpointContent {
  return { height: at(height), blockHash: blockHash(header), stateRoot: root, nextSet }
}
