// Byzantine validators as whole nodes: the real code, whose words pass through a behaviour on their way to the others. What a behaviour adds is signed by its
// own key or has been heard before; nothing else.
import { genesisRef } from '../../../genesis/genesis.ts'
import { encodeMessage, type Message } from '../../../consensus/messages.ts'
import { indexOfKey, type Validator, type ValidatorSet } from '../../../consensus/validators.ts'
import { voteBytes } from '../../../consensus/votes.ts'
import { decodeFetchAnswer, decodeFetchQuestion, decodeSyncAnswer, encodeFetchAnswer, encodeSyncAnswer, type FetchAnswer, type SyncAnswer, type SyncBlock } from '../../../node/exchange.ts'
import type { Clock, RequestHandler, RequestProtocol, Transport } from '../../../node/world.ts'
import type { Backend } from '../../../rpc/backend.ts'
import type { Height, TimeMs, View } from '../../../primitives/brand.ts'
import { equalBytes, utf8 } from '../../../primitives/bytes.ts'
import { DongbaekError, unreachable } from '../../../primitives/errors.ts'
import { type Behaviour, behaviourNames, behaviourOf, type BehaviourName, type Liar } from '../adversary.ts'
import type { Random } from '../random.ts'
import { type Censor, createCensor } from './censor.ts'
import { never } from './life.ts'
import type { WholeNode } from './node.ts'
import { overgrow } from './oversize.ts'
import { createStuffer } from './stuffer.ts'
import { tryDecode } from './wire.ts'

export const nodeBehaviourNames = [...behaviourNames, 'lying-server', 'garbage', 'oversizer', 'foreigner', 'stuffer'] as const
export type NodeBehaviour = (typeof nodeBehaviourNames)[number]

const tickMs = 150

function isReplicaBehaviour(name: NodeBehaviour): name is BehaviourName {
  return (behaviourNames as readonly string[]).includes(name)
}

/** What a liar's node is given to talk with, and what those who come to it talk with. */
export interface Mask {
  readonly transport: Transport
  readonly face: (backend: Backend) => Backend
}

export function deceive(node: WholeNode, name: NodeBehaviour, honest: Transport, clock: Clock): Mask {
  const { world } = node
  const { random } = world
  const setNow = (): ValidatorSet => world.checker.setAt(node.stored + 1)
  const others = (): readonly Validator[] => setNow().validators.filter((one) => !equalBytes(one.publicKey, node.actor.publicKey))
  const stuffer = createStuffer(node)
  const censor: Censor | undefined = name === 'omitter' || name === 'censor' ? createCensor(node, name === 'censor') : undefined
  const behaviour: Behaviour | undefined = isReplicaBehaviour(name)
    ? behaviourOf(name, random, setNow().validators)
    : name === 'stuffer'
      ? { leavesOut: false, makesUp: false, outgoing: (_, { to, message }) => [{ to, message: message.type === 'pre-prepare' ? stuffer.stuff(message) : message }], incoming: () => {}, tick: () => {} }
      : undefined
  const liar: Liar = {
    random,
    chain: world.city.chainId,
    genesis: genesisRef(world.city.genesis),
    key: node.actor,
    setAt: (height) => world.checker.setAt(height),
    stand: () => {
      const status = node.backend?.status()
      return status === undefined ? undefined : { epoch: world.checker.epochOf((status.head.height + 1) as Height), view: status.view as View, committed: status.head.height as Height, index: indexOfKey(setNow(), node.actor.publicKey) }
    },
    invent: stuffer.invent,
    say: (message, chance) => {
      const bytes = encoded(message)
      for (const other of others()) if (random.chance(chance)) honest.send(other.name, 'consensus', bytes)
    },
  }
  const encoded = (message: Message): Uint8Array => {
    try {
      return encodeMessage(message)
    } catch (error) {
      // a mutation that has no encoding: something else that nobody expects
      if (!(error instanceof Error)) throw error
      return utf8('not a message')
    }
  }
  const say = (to: Validator | 'all', message: Message): void => {
    const bytes = encoded(message)
    const send = (): void => {
      for (const other of to === 'all' ? others() : [to]) honest.send(other.name, 'consensus', bytes)
    }
    if (message.type === 'pre-prepare' && censor !== undefined && censor.proposesAfterMs > 0) clock.after(censor.proposesAfterMs, send)
    else send()
  }

  let heard: Uint8Array = utf8('nothing')
  /** Past the bounds that a transport keeps on what its own node sends. */
  const shout = (): void => {
    const { channel, bytes } = overgrow(random, heard)
    const { network, endpoints } = world.switchboard
    for (const endpoint of endpoints.values()) if (endpoint.id !== node.id) network.send(node.id, endpoint.id, channel, () => endpoint.receive(node.actor.publicKey, channel, bytes))
  }

  // the same bytes are handed over for each peer in turn: together they are one word to all
  const gathered = new Map<Uint8Array, Set<string>>()
  const speak = (bytes: Uint8Array): void => {
    const to = gathered.get(bytes) ?? new Set()
    gathered.delete(bytes)
    const message = tryDecode(bytes)
    if (message === undefined || behaviour === undefined) return
    const addressees: readonly (Validator | 'all')[] = to.size >= others().length ? ['all'] : others().filter((one) => to.has(one.name))
    for (const addressee of addressees) for (const send of behaviour.outgoing(liar, { to: addressee, message })) say(send.to, send.message)
  }
  const tick = (): void => {
    clock.after(tickMs, tick)
    behaviour?.tick(liar)
    censor?.tick()
    if (name === 'garbage') babble(random, others(), honest)
    if (name === 'oversizer' && random.chance(0.2)) shout()
    if (name === 'foreigner') speakForeign(liar)
  }
  clock.after(tickMs, tick)

  const answering = (protocol: RequestProtocol, handler: RequestHandler): RequestHandler => {
    if (name === 'silent') return never
    if (name === 'lying-server' && protocol !== 'snapshot') return lyingHandler(random, protocol === 'sync', handler)
    return protocol === 'fetch' ? stuffer.serve(handler) : handler
  }
  const transport: Transport = {
    ...honest,
    send: (peer, channel, bytes) => {
      if (name === 'silent' || (name === 'censor' && channel === 'gossip')) return true
      if (channel !== 'consensus' || behaviour === undefined) return honest.send(peer, channel, bytes)
      const to = gathered.get(bytes)
      if (to !== undefined) to.add(peer)
      else {
        gathered.set(bytes, new Set([peer]))
        queueMicrotask(() => speak(bytes))
      }
      return true
    },
    onMessages: (channel, handler) =>
      honest.onMessages(channel, (messages) => {
        if (channel === 'consensus') heard = messages[0]?.bytes ?? heard
        if (channel === 'consensus' && behaviour !== undefined) {
          for (const { bytes } of messages) {
            const message = tryDecode(bytes)
            if (message !== undefined) behaviour.incoming(liar, message)
          }
        }
        return handler(channel === 'gossip' && censor !== undefined ? censor.heard(messages) : messages)
      }),
    handle: (protocol, handler) => honest.handle(protocol, answering(protocol, handler)),
  }
  return { transport, face: censor?.face ?? ((backend) => backend) }
}

function babble(random: Random, others: readonly Validator[], transport: Transport): void {
  const bytes = Uint8Array.from({ length: random.pick([1, 40, 700, 20_000]) }, () => random.below(256))
  for (const other of others) if (random.chance(0.2)) transport.send(other.name, random.pick(['consensus', 'gossip']), bytes)
}

/** Good votes, for another chain. */
function speakForeign(liar: Liar): void {
  const { random, key } = liar
  const stand = liar.stand()
  if (stand?.index === undefined) return
  const height = (stand.committed + 1) as Height
  const chain = 'simulated-0000000000000000'
  const kind = random.pick(['prepare', 'commit'] as const)
  const { hash } = liar.genesis
  if (random.chance(0.3)) liar.say({ type: kind, view: stand.view, height, blockHash: hash, validator: stand.index, signature: key.sign(voteBytes(kind, chain, stand.view, height, hash)) }, 0.3)
}

/** Answers to `sync` and `fetch` that are wrong in one way or another, or do not come. */
function lyingHandler(random: Random, isSync: boolean, handler: RequestHandler): RequestHandler {
  return async (peer, question) => {
    const answer = await handler(peer, question)
    const way = random.below(8)
    if (way === 0) return never()
    if (way === 1) return answer.slice(0, random.below(answer.length))
    if (way === 2) throw new DongbaekError('transport/refused', 'no')
    if (isSync) return encodeSyncAnswer(wrongSync(random, decodeSyncAnswer(answer)))
    return decodeFetchQuestion(question).type === 'checkpoint' ? answer : encodeFetchAnswer(wrongFetch(random, decodeFetchAnswer(answer)))
  }
}

function wrongSync(random: Random, answer: SyncAnswer): SyncAnswer {
  const { blocks } = answer
  const far = random.pick([1, 3, 1_000_000])
  const change = (change: (block: SyncBlock) => SyncBlock): SyncAnswer => (blocks.length === 0 ? answer : { ...answer, blocks: blocks.with(random.below(blocks.length), change(random.pick(blocks))) })
  const lie = random.pick(['top', 'head', 'low', 'nothing', 'backwards', 'thin', 'envelopes', 'time', 'checkpoint'] as const)
  switch (lie) {
    case 'top':
      return { ...answer, top: (answer.top + far) as Height }
    case 'head':
      return { ...answer, head: (answer.head + far) as Height }
    case 'low':
      return { ...answer, head: 0 as Height, top: 0 as Height }
    case 'nothing':
      return { ...answer, blocks: [] }
    case 'backwards':
      return { ...answer, blocks: blocks.toReversed() }
    case 'thin':
      return change((block) => ({ ...block, decision: { ...block.decision, certificate: { ...block.decision.certificate, signatures: block.decision.certificate.signatures.slice(0, 1) } } }))
    case 'envelopes':
      return change((block) => ({ ...block, envelopes: block.envelopes.map(() => random.pick(block.envelopes)) }))
    case 'time':
      return change((block) => ({ ...block, decision: { ...block.decision, header: { ...block.decision.header, timeMs: (block.decision.header.timeMs + 1) as TimeMs } } }))
    case 'checkpoint': {
      const { checkpoint } = answer
      return checkpoint === undefined ? answer : { ...answer, checkpoint: { ...checkpoint, content: { ...checkpoint.content, height: (checkpoint.content.height + 1) as Height } } }
    }
    default:
      return unreachable(lie)
  }
}

function wrongFetch(random: Random, answer: FetchAnswer): FetchAnswer {
  const { references, envelopes } = answer
  const lie = random.pick(['nothing', 'references', 'envelopes', 'flipped'] as const)
  switch (lie) {
    case 'nothing':
      return { references: [], envelopes: [] }
    case 'references':
      return { ...answer, references: references.toReversed() }
    case 'envelopes':
      return { ...answer, envelopes: envelopes.slice(1) }
    case 'flipped':
      return {
        ...answer,
        envelopes: envelopes.map((envelope) => {
          const copy = Uint8Array.from(envelope)
          const at = random.below(copy.length)
          copy[at] = (copy[at] as number) ^ 1
          return copy
        }),
      }
    default:
      return unreachable(lie)
  }
}
