// What liars make up. A lying primary may stuff its blocks: beside what its node proposes it orders a transaction that has run already, has expired, is of another
// chain, or whose signature is wrong. Or it makes whole blocks, on whatever it likes. It hands out the envelopes to whoever asks.
import { blockHash, type BlockHeader } from '../../../consensus/block.ts'
import type { MessageOf } from '../../../consensus/messages.ts'
import { voteBytes } from '../../../consensus/votes.ts'
import { decodeFetchAnswer, decodeFetchQuestion, encodeFetchAnswer } from '../../../node/exchange.ts'
import { manifestOf, payloadRoot, referencesOf } from '../../../node/payloads.ts'
import type { RequestHandler } from '../../../node/world.ts'
import type { Hash, Height, TimeMs } from '../../../primitives/brand.ts'
import { toBase64url } from '../../../primitives/bytes.ts'
import { register } from '../../../state/did/register.ts'
import { envelopeReference } from '../../../state/transaction.ts'
import { envelopeOf, firstKey } from './city.ts'
import { epochMs } from './clock.ts'
import type { Liar } from '../adversary.ts'
import type { WholeNode } from './node.ts'

export interface Stuffer {
  readonly stuff: (proposal: MessageOf<'pre-prepare'>) => MessageOf<'pre-prepare'>
  /** A block of its own making. */
  readonly invent: Liar['invent']
  /** What it has made can be had from it. */
  readonly serve: (handler: RequestHandler) => RequestHandler
}

export function createStuffer(node: WholeNode): Stuffer {
  const { world } = node
  const { random, kernel, city, keys } = world
  const envelopes = new Map<string, Uint8Array>()
  const blocks = new Map<string, readonly Hash[]>()

  const makeUp = (forMs: number, chain: string): Uint8Array => {
    const newcomer = keys.of('stuffed')
    return envelopeOf(chain, { kind: register, sender: newcomer, payload: { keys: [firstKey(newcomer.publicKey)], services: [] }, cosigner: keys.of('registrar'), validUntilMs: epochMs + kernel.nowMs + forMs, number: random.below(1_000_000) }).transaction.bytes
  }
  const extra = (): Uint8Array | undefined => {
    const what = random.pick(['ran', 'ran', 'ran', 'expired', 'foreign', 'forged'] as const)
    if (what === 'ran') return node.store === undefined || node.stored === 0 ? undefined : random.pick(node.store.payload((1 + random.below(node.stored)) as Height) ?? [new Uint8Array(1)])
    const bytes = makeUp(what === 'expired' ? -20_000 : 60_000, what === 'foreign' ? 'simulated-0000000000000000' : city.chainId)
    if (what !== 'forged') return bytes
    const copy = Uint8Array.from(bytes)
    copy[copy.length - 1] = (copy[copy.length - 1] as number) ^ 1
    return copy
  }

  return {
    stuff: (proposal) => {
      const references = referencesOf(proposal.header, proposal.manifest)
      const envelope = random.chance(0.5) ? extra() : undefined
      if (references === undefined || envelope === undefined) return proposal
      const reference = envelopeReference(envelope)
      if (references.some((one) => toBase64url(one) === toBase64url(reference))) return proposal
      const stuffed = [...references, reference]
      const header: BlockHeader = { ...proposal.header, payload: payloadRoot(stuffed), payloadCount: stuffed.length }
      envelopes.set(toBase64url(reference), envelope)
      blocks.set(toBase64url(blockHash(header)), stuffed)
      world.trace(node.name, () => `stuffs its block ${header.height}`)
      return { ...proposal, header, manifest: manifestOf(stuffed), signature: node.actor.sign(voteBytes('pre-prepare', city.chainId, proposal.view, header.height, blockHash(header))) }
    },
    invent: (parent, proposer) => {
      const envelope = makeUp(60_000, city.chainId)
      const references = [envelopeReference(envelope)]
      const header: BlockHeader = { chain: city.chainId, height: (parent.height + 1) as Height, parent: parent.hash, timeMs: (parent.timeMs + 1) as TimeMs, proposer, payload: payloadRoot(references), payloadCount: 1 }
      for (const reference of references) envelopes.set(toBase64url(reference), envelope)
      blocks.set(toBase64url(blockHash(header)), references)
      return { header, manifest: manifestOf(references) }
    },
    serve: (handler) => async (peer, question) => {
      const asked = decodeFetchQuestion(question)
      if (asked.type !== 'envelopes' && asked.type !== 'block') return handler(peer, question)
      const answer = decodeFetchAnswer(await handler(peer, question))
      const references = asked.type === 'envelopes' ? asked.references : (blocks.get(toBase64url(asked.blockHash)) ?? [])
      const own = references.flatMap((reference) => envelopes.get(toBase64url(reference)) ?? [])
      return encodeFetchAnswer({ ...answer, references: asked.type === 'block' && references.length > 0 ? references : answer.references, envelopes: [...answer.envelopes, ...own] })
    },
  }
}
