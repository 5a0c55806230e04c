// Judging: whether a proposed block may be voted for. Its payload is gathered, checked and kept in the vote log, and its time must not lie too far ahead.
// A lying primary may propose what nobody can gather, in every view that it leads; so each case is pursued only while the replica goes on asking, and only
// for the heights that can become final soon.
import type { BlockHeader } from '../consensus/block.ts'
import type { Validate } from '../consensus/output.ts'
import type { Validator } from '../consensus/validators.ts'
import type { Hash, Height } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { Availability } from './availability.ts'
import { clockLookMs, judgedAheadMax, judgeLifetimeMs } from './limits.ts'
import type { Payload } from './payloads.ts'
import type { Clock, Log } from './world.ts'

export interface Judging {
  /** Asked again, it goes on with what is new in the request. */
  readonly judge: (request: Validate) => void
  /** A block has become final: others come within reach. */
  readonly advance: () => void
  readonly isUnderWay: (block: Hash) => boolean
  /** As the proposal of a case under way brought it. */
  readonly manifestOf: (block: Hash) => Uint8Array | undefined
  readonly stop: () => void
}

export interface JudgingContext {
  readonly availability: Availability
  readonly clock: Clock
  readonly log: Log
  readonly committed: () => Height
  readonly transactionsMax: number
  readonly maxClockDriftMs: number
  /** Puts the payload into the vote log, unless it is there. */
  readonly keep: (payload: Payload) => void
  readonly verdict: (block: Hash, verdict: 'valid' | 'invalid') => void
  readonly onFatal: (error: unknown) => void
}

interface Case {
  manifest: Uint8Array | undefined
  holders: readonly Validator[]
  askedMs: number
}

export function createJudging(context: JudgingContext): Judging {
  const { availability, clock, log, committed } = context
  const cases = new Map<string, Case>()
  // one a height, the latest: what is asked again replaces what was asked in an earlier view
  const later = new Map<Height, Validate>()
  let stopped = false

  const isWanted = (header: BlockHeader, one: Case): boolean => !stopped && header.height > committed() && clock.monotonic() - one.askedMs < judgeLifetimeMs

  /** In short waits: the clock may be set meanwhile, and a time far in the future is not waited for when the block is not wanted any more. */
  const notEarly = async (header: BlockHeader, one: Case): Promise<void> => {
    for (;;) {
      const aheadMs = header.timeMs - clock.now() - context.maxClockDriftMs
      if (aheadMs <= 0) return
      if (!isWanted(header, one)) throw new DongbaekError('node/not-wanted', 'the block is not wanted any more')
      await new Promise<void>((resolve) => clock.after(Math.min(aheadMs, clockLookMs), resolve))
    }
  }

  const decide = async (header: BlockHeader, one: Case): Promise<'valid' | 'invalid'> => {
    if (header.payloadCount > context.transactionsMax) return 'invalid'
    const payload = await availability.obtain({
      header,
      manifest: () => one.manifest,
      holders: () => one.holders.map(({ name }) => name),
      isWanted: () => isWanted(header, one),
      final: false,
    })
    if (payload === undefined) return 'invalid'
    await notEarly(header, one)
    context.keep(payload)
    return 'valid'
  }

  const run = async (header: BlockHeader, hash: Hash, one: Case): Promise<void> => {
    try {
      const verdict = await decide(header, one)
      if (verdict === 'invalid') log.warn('payload-invalid', { height: header.height, proposer: header.proposer })
      context.verdict(hash, verdict)
    } catch (error) {
      if (stopped) return
      if (!(error instanceof DongbaekError) || error.code === 'verifier/stopped') context.onFatal(error)
      else log.debug('payload-given-up', { height: header.height, code: error.code })
    } finally {
      cases.delete(toBase64url(hash))
    }
  }

  const judge = (request: Validate): void => {
    const { header, blockHash, manifest, holders } = request
    if (stopped) return
    if (header.height > committed() + judgedAheadMax) {
      later.set(header.height, request)
      return
    }
    later.delete(header.height)
    const key = toBase64url(blockHash)
    const underWay = cases.get(key)
    if (underWay !== undefined) {
      underWay.manifest ??= manifest
      underWay.holders = [...holders, ...underWay.holders.filter(({ name }) => !holders.some((holder) => holder.name === name))]
      underWay.askedMs = clock.monotonic()
      return
    }
    const one: Case = { manifest, holders, askedMs: clock.monotonic() }
    cases.set(key, one)
    void run(header, blockHash, one)
  }

  return {
    judge,
    advance: () => {
      for (const [height, request] of later) {
        if (height <= committed()) later.delete(height)
        else if (height <= committed() + judgedAheadMax) judge(request)
      }
    },
    isUnderWay: (block) => cases.has(toBase64url(block)),
    manifestOf: (block) => cases.get(toBase64url(block))?.manifest,
    stop: () => {
      stopped = true
    },
  }
}
