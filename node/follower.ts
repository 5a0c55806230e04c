// Catching up: final blocks with their certificates are fetched from several peers at once, a window of ranges, and handed in in order. The certificate
// makes a block final whoever sent it, so a lying peer can only be useless: its range goes to another, and it is asked last for a while (sync-sources.ts).
// A claimed height is fetched towards and never waited for: what nobody has ends the run (a syncing node that waits for one liar's height: CometBFT ASA-2025-001).
import type { CheckpointCertificate, Decision } from '../consensus/certificate.ts'
import type { Message, Verified } from '../consensus/messages.ts'
import { asVerified, checksOf, type VerificationContext } from '../consensus/verification.ts'
import type { Height } from '../primitives/brand.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { decodeSyncAnswer, encodeSyncQuestion, type SyncAnswer } from './exchange.ts'
import { answerBytesMax, fetchRetryMs, syncHedgeMs, syncRangeBlocks, syncRangesMax, syncSettleMs, syncTimeoutMs } from './limits.ts'
import type { Payload } from './payloads.ts'
import { allVerify, checkSyncBlock, isRun } from './sync-check.ts'
import { createSyncSources } from './sync-sources.ts'
import type { Clock, Log, Transport, Verifier } from './world.ts'

export interface Follower {
  /** Someone has final blocks up to `height`; `claimedBy`: only this peer's word for it. */
  readonly follow: (height: Height, peers: readonly string[], claimedBy?: string) => void
  /** Someone has a later checkpoint certificate, which comes with any answer. */
  readonly followCheckpoint: (peers: readonly string[]) => void
  /** A block has been executed: there may be room for more. */
  readonly advance: () => void
  /** What is being fetched, once blocks have come: before, it is only a claim. */
  readonly target: () => Height
  readonly stop: () => Promise<void>
}

export interface FollowerContext {
  readonly transport: Pick<Transport, 'request' | 'blame'>
  readonly verifier: Pick<Verifier, 'verifyBatch'>
  readonly clock: Clock
  readonly log: Log
  readonly context: () => VerificationContext
  readonly committed: () => Height
  /** The last stable checkpoint. */
  readonly checkpoint: () => Height
  readonly executed: () => Height
  /** Blocks handed in and not executed yet; at most the window, since what lies beyond may have another validator set. */
  readonly aheadMax: number
  /** In order: the block after the last committed one. */
  readonly take: (decision: Verified<Decision>, payload: Payload) => void
  readonly takeCheckpoint: (message: Verified<Message>) => void
  /** A certificate, not checked, above the heights whose sets are known here. */
  readonly far: (certificate: CheckpointCertificate) => void
  /** The state is being fetched as a whole: blocks are not. */
  readonly held: () => boolean
  readonly onFatal: (error: unknown) => void
}

/** Heights that one peer is asked for at a time. */
interface Range {
  from: Height
  readonly to: Height
  /** Had no good answer for it. */
  readonly tried: Set<string>
  readonly asking: Set<string>
  askedMs: number
  answer: { readonly peer: string; readonly content: SyncAnswer } | undefined
}

export function createFollower(context: FollowerContext): Follower {
  const { transport, verifier, clock, log, committed, executed } = context
  const sources = createSyncSources(clock)
  let target = 0 as Height
  let running: Promise<void> | undefined
  let stopped = false
  let supplied = false
  /** One more answer is worth having, for its certificate. */
  let checkpointWanted: readonly string[] = []
  /** In order, without gaps; the first begins at the next block to hand in. */
  let ranges: Range[] = []
  /** The last height handed in; the replica takes it a moment later. */
  let given = 0 as Height
  let givenMs = 0
  let stir: () => void = () => {}
  const reached = (): Height => Math.max(given, committed()) as Height

  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve))

  /** Until something has happened, or for a moment. */
  const stirred = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(fetchRetryMs, resolve)
      stir = () => {
        cancel()
        resolve()
      }
    })

  const ask = async (peer: string, from: Height, count: number): Promise<SyncAnswer | undefined> => {
    sources.begin(peer)
    try {
      const answer = decodeSyncAnswer(await transport.request(peer, 'sync', encodeSyncQuestion({ from, count }), { timeoutMs: syncTimeoutMs, responseBytesMax: answerBytesMax }))
      sources.noteHead(peer, answer.head)
      if (isRun(answer.blocks, from, count)) return answer
      accuse(peer, 'blocks in answer to sync that were not asked for', from)
    } catch (error) {
      const code = codeOf(error)
      log.debug('sync-failed', { peer, from, code })
      if (code.startsWith('codec/')) accuse(peer, 'an answer to sync that does not decode', from)
      // a peer that is away or refuses does no harm; one that keeps us waiting does
      else if (code === 'transport/timeout' || code === 'transport/too-large') sources.bad(peer)
    } finally {
      sources.end(peer)
    }
    return undefined
  }

  const accuse = (peer: string, reason: string, height: Height): void => {
    sources.bad(peer)
    transport.blame(peer, reason, { height })
  }

  const askFor = async (range: Range, peer: string): Promise<void> => {
    range.asking.add(peer)
    range.askedMs = clock.monotonic()
    const content = await ask(peer, range.from, range.to - range.from + 1)
    range.asking.delete(peer)
    if (content !== undefined && content.blocks.length > 0) range.answer ??= { peer, content }
    else {
      range.tried.add(peer)
      // it says that it has them
      if (content !== undefined && content.head >= range.from) sources.bad(peer)
    }
    stir()
  }

  /** Beyond what is credible one range at a time is tried. */
  const fill = (): void => {
    for (;;) {
      const from = ((ranges.at(-1)?.to ?? reached()) + 1) as Height
      if (from > target || ranges.length >= syncRangesMax || (ranges.length > 0 && from > (sources.credibleHead() ?? target))) return
      ranges.push({ from, to: Math.min(target, from + syncRangeBlocks - 1) as Height, tried: new Set(), asking: new Set(), askedMs: 0, answer: undefined })
    }
  }

  const askAll = (): void => {
    ranges.forEach((range, place) => {
      if (range.answer !== undefined) return
      // all wait for the first: a slow peer's range is asked of a second one, a disappointing peer's at once
      const slow = place === 0 && (clock.monotonic() - range.askedMs > syncHedgeMs || [...range.asking].every(sources.isAside))
      if (range.asking.size > (slow ? 1 : 0)) return
      const peer = sources.pick(new Set([...range.tried, ...range.asking]), place === 0 && range.asking.size === 0)
      if (peer !== undefined) void askFor(range, peer)
    })
  }

  /** False when the replica does not take what it was given: then there is no use in giving it more. */
  const roomForMore = async (): Promise<boolean> => {
    while (!stopped && reached() - executed() >= context.aheadMax) {
      if (committed() < given && clock.monotonic() - givenMs > syncSettleMs) return false
      await stirred()
    }
    return !stopped
  }

  const takeCertificate = async (certificate: CheckpointCertificate, peer: string): Promise<void> => {
    if (certificate.content.height <= context.checkpoint()) return
    const message: Message = { type: 'certified', certificate }
    const listed = checksOf(message, context.context())
    if (!listed.ok) {
      if (listed.code === 'unknown-set') context.far(certificate)
      else accuse(peer, `a certificate in answer to sync that does not hold: ${listed.reason}`, certificate.content.height)
      return
    }
    if (await allVerify(listed.checks, verifier)) context.takeCheckpoint(asVerified(message))
    else accuse(peer, 'a certificate in answer to sync with a signature that does not verify', certificate.content.height)
  }

  /** Hands in what the first range's peer sent; false when the replica takes no more. What is missing of the range is asked for anew. */
  const takeFirst = async (range: Range): Promise<boolean> => {
    const { peer, content } = range.answer as NonNullable<Range['answer']>
    range.answer = undefined
    for (const block of content.blocks) {
      if (!(await roomForMore())) return false
      const next = (reached() + 1) as Height
      if (block.decision.header.height < next) continue
      const payload = await checkSyncBlock(block, next, context.context(), verifier)
      if (typeof payload === 'string') {
        range.tried.add(peer)
        if (payload !== 'unknown-set') accuse(peer, `a block in answer to sync that does not hold: ${payload}`, next)
        break
      }
      // consensus may have gone on meanwhile; what it has, it ignores
      context.take(asVerified(block.decision), payload)
      given = next
      givenMs = clock.monotonic()
      supplied = true
    }
    if (!range.tried.has(peer)) sources.good(peer)
    if (content.checkpoint !== undefined) await takeCertificate(content.checkpoint, peer)
    return true
  }

  /** What was handed in and not taken within this time was refused: begin again from where the replica stands. */
  const settle = async (): Promise<void> => {
    for (let waited = 0; waited < syncSettleMs && !stopped && committed() < given; waited += fetchRetryMs) await pause(fetchRetryMs)
    given = committed()
    ranges = []
  }

  /** Up to the target, or to where nobody has the next block. False: the replica takes no more. */
  const fetchBlocks = async (): Promise<boolean> => {
    while (!stopped && !context.held() && reached() < target) {
      while (ranges[0] !== undefined && ranges[0].to <= reached()) ranges.shift()
      const first = ranges[0]
      if (first !== undefined && first.from <= reached()) first.from = (reached() + 1) as Height
      fill()
      const front = ranges[0] as Range
      if (front.answer !== undefined) {
        if (!(await takeFirst(front))) return false
        continue
      }
      askAll()
      if (front.asking.size === 0 && sources.exhausted(front.tried)) return true
      await stirred()
    }
    return true
  }

  const fetchCheckpoint = async (): Promise<void> => {
    const peers = checkpointWanted
    checkpointWanted = []
    for (const peer of peers) {
      const certificate = (await ask(peer, (reached() + 1) as Height, 1))?.checkpoint
      if (certificate === undefined || certificate.content.height <= context.checkpoint()) continue
      await takeCertificate(certificate, peer)
      return
    }
  }

  const round = async (): Promise<void> => {
    try {
      const before = reached()
      const took = await fetchBlocks()
      if (checkpointWanted.length > 0 && !stopped) await fetchCheckpoint()
      await settle()
      // nobody has it (any more): whoever claimed it claims it again, and wakes us
      if (took && reached() === before && committed() < target) target = committed()
    } catch (error) {
      // our own verifier has too much to do: that is nobody's fault, and passes
      if (!(error instanceof DongbaekError)) throw error
      log.warn('sync-interrupted', { code: error.code })
      await settle()
      target = committed()
    }
  }

  const run = async (): Promise<void> => {
    try {
      while (!stopped && !context.held() && (checkpointWanted.length > 0 || reached() < target)) await round()
    } catch (error) {
      if (!stopped) context.onFatal(error)
      stopped = true
    } finally {
      // in the same turn as the last look at `target`, or a wake-up in between would be lost
      supplied = false
      running = undefined
    }
  }

  const wake = (): void => {
    stir()
    running ??= Promise.resolve().then(run)
  }

  return {
    follow: (height, peers, claimedBy) => {
      const speakers = claimedBy === undefined ? peers : [claimedBy]
      if (stopped || height <= committed() || speakers.every(sources.isAside)) return
      if (height > target) target = height
      // they have more than when they were asked
      for (const { tried } of ranges) for (const peer of speakers) tried.delete(peer)
      sources.set(peers)
      wake()
    },
    advance: () => stir(),
    followCheckpoint: (peers) => {
      if (stopped || peers.length === 0) return
      checkpointWanted = peers
      wake()
    },
    target: () => (supplied ? (Math.max(committed(), Math.min(target, sources.credibleHead() ?? 0)) as Height) : committed()),
    stop: async () => {
      stopped = true
      stir()
      await running
    },
  }
}
