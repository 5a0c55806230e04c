// Availability: gets the payload of a proposed or final block together, from the mempool, the own store and the peers that hold it, and judges it.
// A verdict is the same on every correct node: it depends on the bytes alone. Only the clock may delay it.
// A proposal often overtakes the gossip of what it orders, so that is waited for a little before anyone is asked: what is fetched is sent, decoded and checked twice.
import { type BlockHeader, blockHash } from '../consensus/block.ts'
import type { Hash } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { type ReadyTransaction, readyTransaction } from '../state/families.ts'
import { decodeReferenced, envelopeReference, signatureChecks } from '../state/transaction.ts'
import { decodeFetchAnswer, encodeFetchQuestion, type FetchAnswer, type FetchQuestion } from './exchange.ts'
import type { Admission } from './admission.ts'
import { answerBytesMax, fetchFirstTimeoutMs, fetchRetryMs, fetchTimeoutMs, gossipGraceMs, gossipSettleMs } from './limits.ts'
import type { Mempool } from './mempool.ts'
import { bindsReferences, type Payload, payloadOf, referencesOf } from './payloads.ts'
import type { Clock, Log, Transport, Verifier } from './world.ts'

export interface Availability {
  /** The payload, once it is here; undefined when it never can be valid. Keeps asking until `isWanted` says no (then rejects with `node/not-wanted`). */
  readonly obtain: (request: ObtainRequest) => Promise<Payload | undefined>
  /** A transaction has come into the mempool: whoever waits for it has it. */
  readonly arrived: (ready: ReadyTransaction) => void
}

export interface ObtainRequest {
  readonly header: BlockHeader
  /** As the proposal brought it; it may come later than the request. */
  readonly manifest: () => Uint8Array | undefined
  /** Names of peers that hold it, likeliest first; more may become known. */
  readonly holders: () => readonly string[]
  readonly isWanted: () => boolean
  /** A quorum has made the block final, so that its signatures have been checked by correct validators. */
  readonly final: boolean
}

export interface AvailabilityContext {
  readonly chainId: string
  readonly mempool: Pick<Mempool, 'byReference'>
  readonly admission: Pick<Admission, 'isChecking'>
  /** Resolves once the gossip that has come in is in the mempool or refused. */
  readonly gossipSettled: () => Promise<void>
  readonly transport: Pick<Transport, 'request'>
  readonly verifier: Pick<Verifier, 'verifyBatch'>
  readonly clock: Clock
  readonly log: Log
  readonly blockBytesMax: number
  /** A payload that this node has already, by block hash. */
  readonly own: (block: Hash) => Payload | undefined
}

interface Gathering {
  references: readonly Hash[] | undefined
  /** By reference, what is here. */
  readonly found: Map<string, ReadyTransaction>
  /** What is not, by reference; empty while the references are not known. */
  readonly missing: Map<string, Hash>
  /** Told when the last of what was missing has come. */
  whole: () => void
}

export function createAvailability(context: AvailabilityContext): Availability {
  const { chainId, mempool, admission, transport, verifier, clock, log, own } = context
  /** Those that wait for gossip; a handful, as many as blocks are judged at a time. */
  const waiting = new Set<Gathering>()

  const ask = async (peer: string, question: FetchQuestion, timeoutMs: number): Promise<FetchAnswer | undefined> => {
    try {
      return decodeFetchAnswer(await transport.request(peer, 'fetch', encodeFetchQuestion(question), { timeoutMs, responseBytesMax: answerBytesMax }))
    } catch (error) {
      log.debug('fetch-failed', { peer, code: codeOf(error) })
      return undefined
    }
  }

  const find = (gathering: Gathering, key: string, ready: ReadyTransaction): void => {
    gathering.found.set(key, ready)
    gathering.missing.delete(key)
    if (gathering.missing.size === 0) gathering.whole()
  }

  /** Takes the envelopes that are asked for; whatever else was sent is left. False when one of them can never run. */
  const take = async (gathering: Gathering, envelopes: readonly Uint8Array[], final: boolean): Promise<boolean> => {
    const fresh = new Map<string, ReadyTransaction>()
    for (const encoded of envelopes) {
      const reference = envelopeReference(encoded)
      const key = toBase64url(reference)
      if (!gathering.missing.has(key)) continue
      try {
        const transaction = decodeReferenced(encoded, reference)
        if (transaction.chain !== chainId) return false
        fresh.set(key, readyTransaction(transaction))
      } catch (error) {
        if (!(error instanceof DongbaekError)) throw error
        log.warn('payload-envelope-invalid', { code: error.code, reason: error.message })
        return false
      }
    }
    if (!final) {
      const verdicts = await verifier.verifyBatch([...fresh.values()].flatMap(({ transaction }) => signatureChecks(transaction)))
      if (verdicts.includes(false)) return false
    }
    for (const [key, ready] of fresh) find(gathering, key, ready)
    return true
  }

  const learn = (gathering: Gathering, references: readonly Hash[]): void => {
    gathering.references = references
    for (const reference of references) gathering.missing.set(toBase64url(reference), reference)
    fromMempool(gathering)
  }

  const fromMempool = (gathering: Gathering): void => {
    for (const key of gathering.missing.keys()) {
      const ready = mempool.byReference(key)
      if (ready !== undefined) find(gathering, key, ready)
    }
  }

  const isWhole = ({ references, missing }: Gathering): boolean => references !== undefined && missing.size === 0

  const complete = (header: BlockHeader, { references, found }: Gathering): Payload | undefined => {
    if (references === undefined) return undefined
    const payload = payloadOf(header, references, references.map((reference) => found.get(toBase64url(reference)) as ReadyTransaction))
    return payload.bytes > context.blockBytesMax ? undefined : payload
  }

  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve))

  const within = async (ms: number, ...done: readonly Promise<void>[]): Promise<void> => {
    let cancel = (): void => {}
    const late = new Promise<void>((resolve) => (cancel = clock.after(ms, resolve)))
    await Promise.race([...done, late])
    cancel()
  }

  /** Neither here nor being checked here. */
  const unknown = ({ missing }: Gathering): readonly string[] => [...missing.keys()].filter((key) => !admission.isChecking(key))

  /** Until nothing is missing, or what has come in is looked through, some time more has gone by, and nothing that is missing is being checked. */
  const gossiped = async (gathering: Gathering, isWanted: () => boolean): Promise<void> => {
    waiting.add(gathering)
    const whole = new Promise<void>((resolve) => (gathering.whole = resolve))
    try {
      await within(gossipSettleMs, whole, context.gossipSettled())
      do await within(gossipGraceMs, whole)
      while (gathering.missing.size > 0 && unknown(gathering).length === 0 && isWanted())
    } finally {
      waiting.delete(gathering)
    }
  }

  /** Who has stored the block knows its envelopes by the block only, so that question is asked too, and of a final block it is the only one. */
  const questionFor = (hash: Hash, gathering: Gathering, final: boolean, round: number): FetchQuestion =>
    gathering.references === undefined || final || round % 2 === 1 ? { type: 'block', blockHash: hash } : { type: 'envelopes', references: [...gathering.missing.values()] }

  return {
    obtain: async ({ header, manifest, holders, isWanted, final }) => {
      const hash = blockHash(header)
      const gathering: Gathering = { references: undefined, found: new Map(), missing: new Map(), whole: () => {} }
      for (let round = 0; ; round++) {
        const known = own(hash)
        if (known !== undefined) return known
        const brought = manifest()
        if (brought !== undefined && gathering.references === undefined) {
          const references = referencesOf(header, brought)
          if (references === undefined) return undefined
          learn(gathering, references)
          if (!isWhole(gathering)) await gossiped(gathering, isWanted)
        }
        fromMempool(gathering)
        if (isWhole(gathering)) return complete(header, gathering)
        for (const peer of holders()) {
          if (!isWanted()) throw new DongbaekError('node/not-wanted', 'the block is not wanted any more')
          // a liar that only pretends to answer costs little in the first rounds; a slow line gets its time in the later ones
          const answer = await ask(peer, questionFor(hash, gathering, final, round), Math.min(fetchTimeoutMs, fetchFirstTimeoutMs * 2 ** Math.min(round, 10)))
          if (answer === undefined) continue
          if (gathering.references === undefined && bindsReferences(header, answer.references)) learn(gathering, answer.references)
          if (!(await take(gathering, answer.envelopes, final))) return undefined
          fromMempool(gathering)
          if (isWhole(gathering)) return complete(header, gathering)
        }
        if (!isWanted()) throw new DongbaekError('node/not-wanted', 'the block is not wanted any more')
        if (round === 0) log.info('payload-waited-for', { height: header.height, missing: gathering.references === undefined ? header.payloadCount : gathering.missing.size })
        await pause(fetchRetryMs)
      }
    },
    arrived: (ready) => {
      if (waiting.size === 0) return
      const key = toBase64url(ready.transaction.reference)
      for (const gathering of waiting) if (gathering.missing.has(key)) find(gathering, key, ready)
    },
  }
}

/** Answers `fetch`: what this node has of what is asked for, within `bytesMax`. */
export function answerFetch(question: Extract<FetchQuestion, { readonly type: 'envelopes' | 'block' }>, byReference: (reference: Hash) => Uint8Array | undefined, byBlock: (block: Hash) => { readonly references: readonly Hash[]; readonly envelopes: readonly Uint8Array[] } | undefined, bytesMax: number): FetchAnswer {
  const fit = (envelopes: Iterable<Uint8Array | undefined>): readonly Uint8Array[] => {
    const out: Uint8Array[] = []
    let room = bytesMax
    for (const envelope of envelopes) {
      if (envelope === undefined) continue
      room -= envelope.length
      if (room < 0) break
      out.push(envelope)
    }
    return out
  }
  switch (question.type) {
    case 'envelopes':
      return { references: [], envelopes: fit(question.references.map(byReference)) }
    case 'block': {
      const block = byBlock(question.blockHash)
      return block === undefined ? { references: [], envelopes: [] } : { references: block.references, envelopes: fit(block.envelopes) }
    }
  }
}
