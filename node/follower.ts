// Catching up: fetches final blocks with their certificates from peers, several in a row, and hands them in, in order. The certificate makes a
// block final whoever sent it, so a lying peer can only be useless: it is passed over and blamed.
import type { CheckpointCertificate, Decision } from '../consensus/certificate.ts'
import type { Verified } from '../consensus/messages.ts'
import { asVerified, decisionChecks, type VerificationContext } from '../consensus/verification.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { readyTransaction } from '../state/families.ts'
import { decodeTransaction } from '../state/transaction.ts'
import { decodeSyncAnswer, encodeSyncQuestion, type SyncAnswer, type SyncBlock, syncBlocksMax } from './exchange.ts'
import { answerBytesMax, fetchRetryMs, syncTimeoutMs } from './limits.ts'
import { bindsReferences, type Payload, payloadOf } from './payloads.ts'
import type { Clock, Log, Transport, Verifier } from './world.ts'

const settleMs = 2_000

export interface Follower {
  /** Someone has final blocks up to `height`. */
  readonly follow: (height: Height, peers: readonly string[]) => void
  /** Someone has a certificate that is lacking here, though the blocks are not. */
  readonly askCertificate: (peer: string) => void
  /** Still fetching. */
  readonly target: () => Height
  readonly stop: () => Promise<void>
}

export interface FollowerContext {
  readonly transport: Transport
  readonly verifier: Verifier
  readonly clock: Clock
  readonly log: Log
  readonly context: () => VerificationContext
  readonly committed: () => Height
  readonly executed: () => Height
  /** Blocks handed in and not executed yet; at most the window, since what lies beyond may have another validator set. */
  readonly aheadMax: number
  /** In order: the block after the last committed one. */
  readonly take: (decision: Verified<Decision>, payload: Payload) => void
  /** A checkpoint certificate as a peer sent it, not checked yet. */
  readonly takeCertificate: (certificate: CheckpointCertificate, peer: string) => void
  readonly onFatal: (error: unknown) => void
}

export function createFollower(context: FollowerContext): Follower {
  const { transport, verifier, clock, log, committed, executed } = context
  let target = 0 as Height
  let peers: readonly string[] = []
  let running: Promise<void> | undefined
  let stopped = false
  /** The last height handed in; the replica takes it a moment later. */
  let given = 0 as Height
  const reached = (): Height => Math.max(given, committed()) as Height

  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve))

  const ask = async (peer: string, from: Height, count: number): Promise<SyncAnswer | undefined> => {
    try {
      return decodeSyncAnswer(await transport.request(peer, 'sync', encodeSyncQuestion({ from, count }), { timeoutMs: syncTimeoutMs, responseBytesMax: answerBytesMax }))
    } catch (error) {
      log.debug('sync-failed', { peer, from, code: codeOf(error) })
      return undefined
    }
  }

  /** The number of blocks taken. */
  const takeFrom = async (peer: string, from: Height): Promise<number> => {
    const answer = await ask(peer, from, Math.min(syncBlocksMax, Math.max(1, target - from + 1)))
    let taken = 0
    if (answer?.checkpoint !== undefined) context.takeCertificate(answer.checkpoint, peer)
    for (const block of answer?.blocks ?? []) {
      while (!stopped && reached() - executed() >= context.aheadMax) await pause(fetchRetryMs)
      if (stopped) break
      const next = (reached() + 1) as Height
      if (block.decision.header.height < next) continue
      const payload = await checkSyncBlock(block, next, context.context(), verifier)
      if (typeof payload === 'string') {
        if (payload !== 'unknown-set') transport.blame(peer, `a block in answer to sync that does not hold: ${payload}`, { height: next })
        break
      }
      // consensus may have gone on meanwhile; what it has, it ignores
      context.take(asVerified(block.decision), payload)
      given = next
      taken++
    }
    return taken
  }

  /** What was handed in and not taken within this time was refused: begin again from where the replica stands. */
  const settle = async (): Promise<void> => {
    for (let waited = 0; waited < settleMs && !stopped && committed() < given; waited += fetchRetryMs) await pause(fetchRetryMs)
    given = committed()
  }

  const run = async (): Promise<void> => {
    let turn = 0
    while (!stopped && reached() < target) {
      let taken = 0
      for (let i = 0; i < peers.length && taken === 0 && !stopped && reached() < target; i++) taken = await takeFrom(peers[turn++ % peers.length] as string, (reached() + 1) as Height)
      if (taken > 0 && reached() < target) continue
      await settle()
      // nobody has it (any more): whoever claimed it claims it again, and wakes us
      if (taken === 0 && committed() < target) target = committed()
    }
  }

  return {
    follow: (height, from) => {
      if (stopped || from.length === 0 || height <= committed()) return
      if (height > target) target = height
      peers = from
      running ??= run()
        .catch(context.onFatal)
        .finally(() => {
          running = undefined
        })
    },
    askCertificate: (peer) => {
      void ask(peer, (committed() + 1) as Height, 1).then((answer) => {
        if (answer?.checkpoint !== undefined && !stopped) context.takeCertificate(answer.checkpoint, peer)
      }, context.onFatal)
    },
    target: () => target,
    stop: async () => {
      stopped = true
      await running
    },
  }
}

/** The payload of a final block as a peer sent it, or why it does not hold. Signatures of its transactions were checked by the quorum that made it final. */
export async function checkSyncBlock({ decision, references, envelopes }: SyncBlock, next: Height, context: VerificationContext, verifier: Verifier): Promise<Payload | string> {
  const { header } = decision
  if (header.height !== next) return 'not the next height'
  const listed = decisionChecks(decision, context)
  if (!listed.ok) return listed.code === 'unknown-set' ? 'unknown-set' : listed.reason
  if (!bindsReferences(header, references) || envelopes.length !== references.length) return 'not the payload that the header binds'
  try {
    const transactions = envelopes.map((encoded) => readyTransaction(decodeTransaction(encoded)))
    if (transactions.some(({ transaction }, i) => !equalBytes(transaction.reference, references[i] as Uint8Array))) return 'an envelope that the header does not bind'
    const verdicts = await verifier.verifyBatch(listed.checks.map(({ publicKey, bytes, signature }) => ({ publicKey, message: bytes, signature })))
    return verdicts.includes(false) ? 'a commit signature that does not verify' : payloadOf(header, references, transactions)
  } catch (error) {
    if (!(error instanceof DongbaekError)) throw error
    return error.message
  }
}
