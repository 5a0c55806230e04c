// Liars. Each is a real replica whose words are changed on the way out, or that says things besides. It signs with its own key only
// and may repeat whatever it has heard: that is the exact adversary of the protocol.
import { blockHash, refOf, type BlockHeader, type BlockRef } from '../../consensus/block.ts'
import type { PreparedBlock, SignatureEntry } from '../../consensus/certificate.ts'
import { newViewBytes, statusBytes, viewChangeBytes, type Message, type StatusContent, type ViewChangeContent } from '../../consensus/messages.ts'
import type { Send } from '../../consensus/output.ts'
import { indexOfKey, primaryIndex, type Validator, type ValidatorSet } from '../../consensus/validators.ts'
import { checkpointBytes, voteBytes, type VoteKind } from '../../consensus/votes.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import type { SimulatedKey } from './keys.ts'
import type { Random } from './random.ts'

export const behaviourNames = [
  'silent',
  'selective',
  'equivocator',
  'double-voter',
  'stale-view-change',
  'wrong-new-view',
  'forger',
  'wrong-root',
  'replayer',
  'impatient',
  'boaster',
  'omitter',
  'censor',
  'racer',
  'flooder',
  'twins',
  'mutator',
] as const
export type BehaviourName = (typeof behaviourNames)[number]

/** A liar as its behaviour sees it: what it knows, its key, and its line to the others. */
export interface Liar {
  readonly random: Random
  readonly chain: string
  readonly genesis: BlockRef
  readonly key: SimulatedKey
  readonly setAt: (height: Height) => ValidatorSet | undefined
  /** Where its replica stands, while it has one; `index` is undefined when it is in no set. */
  readonly stand: () => { readonly epoch: Height; readonly view: View; readonly committed: Height; readonly index: number | undefined } | undefined
  /** A block of its own making on another, whose payload can be had from it; undefined where nobody could get it. */
  readonly invent: (parent: BlockRef, proposer: number) => { readonly header: BlockHeader; readonly manifest: Uint8Array } | undefined
  /** To each other machine, with this chance. */
  readonly say: (message: Message, chance: number) => void
}

export interface Behaviour {
  /** As primary it finds nothing to propose. */
  readonly leavesOut: boolean
  /** As primary it orders transactions of its own making, one after the other, and nobody else's. */
  readonly makesUp: boolean
  readonly outgoing: (liar: Liar, send: Send) => readonly Send[]
  readonly incoming: (liar: Liar, message: Message) => void
  readonly tick: (liar: Liar) => void
}

const honest = { leavesOut: false, makesUp: false, outgoing: (_: Liar, send: Send) => [send], incoming: () => {}, tick: () => {} }

function setFor(liar: Liar, height: Height): readonly Validator[] {
  return liar.setAt(height)?.validators ?? []
}

function vote(liar: Liar, kind: 'prepare' | 'commit', view: View, height: Height, hash: Hash): Message | undefined {
  const set = liar.setAt(height)
  const validator = set === undefined ? undefined : indexOfKey(set, liar.key.publicKey)
  if (set === undefined || validator === undefined) return undefined
  if (kind === 'prepare' && primaryIndex(set, view) === validator) return undefined
  return { type: kind, view, height, blockHash: hash, validator, signature: liar.key.sign(voteBytes(kind as VoteKind, liar.chain, view, height, hash)) }
}

function say(liar: Liar, message: Message | undefined, chance = 1): void {
  if (message !== undefined) liar.say(message, chance)
}

function someOf({ random }: Liar, validators: readonly Validator[]): Validator[] {
  return validators.filter(() => random.chance(0.5))
}

/** Votes at once for whatever is proposed or voted for, on every side. */
function voteForAll(liar: Liar, message: Message): void {
  if (message.type === 'pre-prepare') {
    const hash = blockHash(message.header)
    say(liar, vote(liar, 'prepare', message.view, message.header.height, hash), 0.8)
    say(liar, vote(liar, 'commit', message.view, message.header.height, hash), 0.8)
  } else if (message.type === 'prepare') {
    say(liar, vote(liar, 'prepare', message.view, message.height, message.blockHash), 0.5)
    say(liar, vote(liar, 'commit', message.view, message.height, message.blockHash), 0.5)
  }
}

/** `validators`: of the first set. */
export function behaviourOf(name: BehaviourName, random: Random, validators: readonly Validator[]): Behaviour {
  switch (name) {
    case 'silent':
      return { ...honest, outgoing: () => [] }
    case 'selective': {
      const deaf = new Set(validators.filter(() => random.chance(0.5)).map((one) => one.name))
      return {
        ...honest,
        outgoing: (_, { to, message }) => (to === 'all' ? validators.filter((one) => !deaf.has(one.name)).map((one) => ({ to: one, message })) : [{ to, message }]),
      }
    }
    case 'equivocator':
      return {
        ...honest,
        outgoing: (liar, send) => {
          const { message } = send
          if (message.type !== 'pre-prepare') return [send]
          const header = { ...message.header, timeMs: (message.header.timeMs + 1) as TimeMs }
          const other: Message = { ...message, header, signature: liar.key.sign(voteBytes('pre-prepare', liar.chain, message.view, header.height, blockHash(header))) }
          const validators = setFor(liar, header.height)
          const left = new Set(someOf(liar, validators))
          voteForAll(liar, other)
          return validators.map((to) => ({ to, message: left.has(to) ? message : other }))
        },
        incoming: voteForAll,
      }
    case 'double-voter':
      return { ...honest, incoming: voteForAll }
    case 'stale-view-change':
      return {
        ...honest,
        outgoing: (liar, { to, message }) => {
          if (message.type !== 'view-change') return [{ to, message }]
          const { type, signature: _, foundation, ...content } = message
          const keepBase = random.chance(0.5) || message.epoch > 1
          const lie = { ...content, prepared: random.chance(0.5) || !keepBase ? [] : content.prepared.slice(0, random.below(content.prepared.length + 1)) }
          if (!keepBase) delete (lie as { base?: unknown }).base
          return [{ to, message: { type, ...lie, signature: liar.key.sign(viewChangeBytes(liar.chain, lie)), ...(keepBase && foundation !== undefined ? { foundation } : {}) } }]
        },
      }
    case 'wrong-new-view':
      return {
        ...honest,
        outgoing: (liar, { to, message }) => {
          if (message.type !== 'new-view' || message.view % setFor(liar, message.epoch).length !== (liar.stand()?.index ?? -1)) return [{ to, message }]
          const { type, signature: _, foundation, ...content } = message
          const lie = { ...content, adopted: content.adopted.slice(0, random.below(content.adopted.length + 1)) }
          return [{ to, message: { type, ...lie, signature: liar.key.sign(newViewBytes(liar.chain, lie)), ...(foundation === undefined ? {} : { foundation }) } }]
        },
      }
    case 'wrong-root':
      return {
        ...honest,
        outgoing: (liar, { to, message }) => {
          if (message.type !== 'checkpoint') return [{ to, message }]
          const content = { ...message.content, stateRoot: liar.genesis.hash }
          const lie: Message = { ...message, content, signature: liar.key.sign(checkpointBytes(liar.chain, content)) }
          return random.chance(0.5) ? [{ to, message: lie }] : [{ to, message }, { to, message: lie }]
        },
      }
    case 'forger':
      return {
        ...honest,
        outgoing: (liar, send) => {
          const forged = forge(liar, send).map((message) => ({ to: send.to, message }))
          // Who hears the true one first does not take the other.
          return forged.length > 0 && random.chance(0.7) ? forged : [send, ...forged]
        },
        tick: (liar) => say(liar, usurp(liar)),
      }
    case 'replayer': {
      const heard: Message[] = []
      return {
        ...honest,
        incoming: (_, message) => {
          if (heard.length < 300) heard.push(message)
          else heard[random.below(300)] = message
        },
        tick: (liar) => {
          for (let i = 0; i < 6 && heard.length > 0; i++) say(liar, random.pick(heard), 0.5)
        },
      }
    }
    case 'impatient':
    case 'boaster':
      return {
        ...honest,
        tick: (liar) => {
          const status = liar.stand()
          if (status?.index === undefined) return
          const far = random.pick([1, 1, 5, 1_000_000])
          const content: StatusContent = {
            epoch: status.epoch,
            view: status.view,
            active: 1,
            wish: (name === 'impatient' ? status.view + far : status.view) as View,
            committed: (name === 'boaster' ? status.committed + far : status.committed) as Height,
            checkpoint: 0 as Height,
            validator: status.index,
          }
          say(liar, { type: 'status', ...content, signature: liar.key.sign(statusBytes(liar.chain, content)) })
        },
      }
    case 'omitter':
      return { ...honest, leavesOut: true }
    case 'censor':
      return { ...honest, makesUp: true }
    case 'racer':
      return { ...honest, outgoing: (liar, send) => [send, ...race(liar, send)] }
    case 'flooder':
      return {
        ...honest,
        tick: (liar) => {
          const committed = liar.stand()?.committed ?? 0
          for (let i = 0; i < 10; i++) {
            const height = (committed + 1 + random.below(24)) as Height
            const hash = liar.genesis.hash
            say(liar, vote(liar, random.pick(['prepare', 'commit'] as const), random.below(1_000_000) as View, height, hash), 0.5)
          }
        },
      }
    case 'twins':
      return honest
    case 'mutator':
      return {
        ...honest,
        outgoing: (_, { to, message }) => (random.chance(0.3) ? [{ to, message: mutate(random, message) }] : [{ to, message }]),
      }
  }
}

/** One number or byte of the message is changed; its signature is not made anew. */
function mutate(random: Random, message: Message): Message {
  const change = (value: unknown): unknown => {
    if (typeof value === 'number') return Math.max(0, value + random.pick([-1, 1]))
    if (value instanceof Uint8Array) {
      if (value.length === 0) return value
      const copy = Uint8Array.from(value)
      const at = random.below(copy.length)
      copy[at] = (copy[at] as number) ^ (1 << random.below(8))
      return copy
    }
    if (Array.isArray(value)) return value.length === 0 ? value : value.with(random.below(value.length), change(random.pick(value)))
    if (typeof value === 'object' && value !== null) {
      const keys = Object.keys(value).filter((key) => key !== 'type')
      if (keys.length === 0) return value
      const key = random.pick(keys)
      return { ...value, [key]: change((value as Record<string, unknown>)[key]) }
    }
    return value
  }
  return change(message) as Message
}

/** Blocks of its own on the one it proposes, far past every watermark. */
function race({ random, chain, key, invent }: Liar, { to, message }: Send): Send[] {
  if (message.type !== 'pre-prepare' || !random.chance(0.3)) return []
  const out: Send[] = []
  let { header } = message
  for (let i = 0; i < 20; i++) {
    const block = invent(refOf(header), header.proposer)
    if (block === undefined) return out
    header = block.header
    out.push({ to, message: { type: 'pre-prepare', view: message.view, ...block, signature: key.sign(voteBytes('pre-prepare', chain, message.view, header.height, blockHash(header))) } })
  }
  return out
}

/** The next view in which it leads, opened on its own word alone. */
function usurp(liar: Liar): Message | undefined {
  const { chain, random, key } = liar
  const stand = liar.stand()
  if (stand?.index === undefined || !random.chance(0.3)) return undefined
  const { length } = setFor(liar, stand.epoch)
  let view = stand.view + 1
  while (view % length !== stand.index) view++
  const change = { epoch: stand.epoch, view: view as View, validator: stand.index, prepared: [] }
  const content = { epoch: stand.epoch, view: view as View, viewChanges: [{ ...change, signature: key.sign(viewChangeBytes(chain, change)) }], adopted: [] }
  return { type: 'new-view', ...content, signature: key.sign(newViewBytes(chain, content)) }
}

/** A block of its own in place of what is prepared, said to be prepared in the last view, on its own signature alone. */
function preparedAlone(liar: Liar, { view, validator, prepared }: ViewChangeContent, on: BlockRef): readonly PreparedBlock[] {
  const kept = prepared.slice(0, liar.random.below(prepared.length + 1))
  const last = kept[kept.length - 1]
  const inView = (view - 1) as View
  const primary = inView % setFor(liar, (on.height + 1) as Height).length
  const header = liar.invent(last === undefined ? on : refOf(last.header), primary)?.header
  if (header === undefined) return prepared
  const hash = blockHash(header)
  const signature = liar.key.sign(voteBytes(primary === validator ? 'pre-prepare' : 'prepare', liar.chain, inView, header.height, hash))
  return [...kept, { header, certificate: { view: inView, height: header.height, blockHash: hash, signatures: [{ validator, signature }] } }]
}

/** Certificates made of too few signatures, of repeated ones, or of those given for another block. */
function forge(liar: Liar, { message }: Send): Message[] {
  const { random, chain } = liar
  const thin = (entries: readonly SignatureEntry[]): SignatureEntry[] => {
    const few = entries.filter((_, i) => i === 0 || random.chance(0.5))
    return random.chance(0.5) ? few : [...few, ...few].slice(0, entries.length)
  }
  switch (message.type) {
    case 'view-change': {
      const { type, signature: _, foundation, ...content } = message
      const shown = foundation === undefined ? {} : { foundation }
      // The last of what is final without what it stands on: whoever keeps that to itself could stop the others.
      const alone: Message[] = foundation !== undefined && foundation.decided.length > 0 ? [{ ...message, foundation: { ...foundation, decided: [] } }] : []
      const on = content.base !== undefined ? refOf(content.base.header) : content.epoch === 1 ? liar.genesis : undefined
      if (on !== undefined && random.chance(0.5)) {
        const lie = { ...content, prepared: preparedAlone(liar, content, on) }
        return [...alone, { type, ...lie, signature: liar.key.sign(viewChangeBytes(chain, lie)), ...shown }]
      }
      const prepared = content.prepared.map((block) => {
        if (random.chance(0.5)) return { ...block, certificate: { ...block.certificate, signatures: thin(block.certificate.signatures) } }
        // The block of the own choice under the votes for another.
        const header = { ...block.header, timeMs: (block.header.timeMs + 1) as TimeMs }
        return { header, certificate: { ...block.certificate, blockHash: blockHash(header) } }
      })
      const lie = { ...content, prepared }
      return [...alone, { type, ...lie, signature: liar.key.sign(viewChangeBytes(chain, lie)), ...shown }]
    }
    case 'certified':
      return [{ ...message, certificate: { ...message.certificate, signatures: thin(message.certificate.signatures) } }]
    default:
      return []
  }
}
