// Catching up: fetches final blocks with their certificates from peers, several in a row, and hands them in, in order. The certificate makes a
// block final whoever sent it, so a lying peer can only be useless: it is passed over and blamed.
import type { CheckpointCertificate, Decision } from '../consensus/certificate.ts'
import type { Message, Verified } from '../consensus/messages.ts'
import { asVerified, checksOf, decisionChecks, type VerificationContext } from '../consensus/verification.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import type { SignedItem } from '../primitives/signature.ts'
import { readyTransaction } from '../state/families.ts'
import { decodeTransaction } from '../state/transaction.ts'
import { decodeSyncAnswer, encodeSyncQuestion, type SyncAnswer, type SyncBlock, syncBlocksMax } from './exchange.ts'
import { answerBytesMax, fetchRetryMs, syncSettleMs, syncTimeoutMs } from './limits.ts'
import { bindsReferences, type Payload, payloadOf } from './payloads.ts'
import type { Clock, Log, Transport, Verifier } from './world.ts'

export interface Follower {
  /** Someone has final blocks up to `height`. */
  readonly follow: (height: Height, peers: readonly string[]) => void
  /** Someone has a later checkpoint certificate, which comes with any answer. */
  readonly followCheckpoint: (peers: readonly string[]) => void
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
  readonly onFatal: (error: unknown) => void
}

export function createFollower(context: FollowerContext): Follower {
  const { transport, verifier, clock, log, committed, executed } = context
  let target = 0 as Height
  let peers: readonly string[] = []
  let running: Promise<void> | undefined
  let stopped = false
  let supplied = false
  /** One more answer is worth having, for its certificate. */
  let checkpointWanted = false
  /** The last height handed in; the replica takes it a moment later. */
  let given = 0 as Height
  let givenMs = 0
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

  /** False when the replica does not take what it was given: then there is no use in giving it more. */
  const roomForMore = async (): Promise<boolean> => {
    while (!stopped && reached() - executed() >= context.aheadMax) {
      if (committed() < given && clock.monotonic() - givenMs > syncSettleMs) return false
      await pause(fetchRetryMs)
    }
    return !stopped
  }

  const takeCertificate = async (certificate: CheckpointCertificate, peer: string): Promise<void> => {
    if (certificate.content.height <= context.checkpoint()) return
    const message: Message = { type: 'certified', certificate }
    const listed = checksOf(message, context.context())
    if (!listed.ok) {
      if (listed.code === 'malformed') transport.blame(peer, `a certificate in answer to sync that does not hold: ${listed.reason}`)
      return
    }
    if ((await verifier.verifyBatch(listed.checks.map(itemOf))).includes(false)) transport.blame(peer, 'a certificate in answer to sync with a signature that does not verify')
    else context.takeCheckpoint(asVerified(message))
  }

  /** The number of blocks taken. */
  const takeFrom = async (peer: string, from: Height): Promise<number> => {
    const answer = await ask(peer, from, Math.min(syncBlocksMax, Math.max(1, target - from + 1)))
    let taken = 0
    for (const block of answer?.blocks ?? []) {
      if (!(await roomForMore())) break
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
      givenMs = clock.monotonic()
      taken++
    }
    if (answer?.checkpoint !== undefined) await takeCertificate(answer.checkpoint, peer)
    return taken
  }

  /** What was handed in and not taken within this time was refused: begin again from where the replica stands. */
  const settle = async (): Promise<void> => {
    for (let waited = 0; waited < syncSettleMs && !stopped && committed() < given; waited += fetchRetryMs) await pause(fetchRetryMs)
    given = committed()
  }

  /** Our own verifier has too much to do: that is nobody's fault, and passes. */
  const takeFromSafely = async (peer: string): Promise<number> => {
    try {
      return await takeFrom(peer, (reached() + 1) as Height)
    } catch (error) {
      if (!(error instanceof DongbaekError)) throw error
      log.warn('sync-interrupted', { peer, code: error.code })
      return 0
    }
  }

  const isOpen = (): boolean => !stopped && (checkpointWanted || reached() < target)

  const run = async (): Promise<void> => {
    let turn = 0
    try {
      while (isOpen()) {
        let taken = 0
        for (let i = 0; i < peers.length && taken === 0 && isOpen(); i++) taken = await takeFromSafely(peers[turn++ % peers.length] as string)
        checkpointWanted = false
        if (taken > 0) supplied = true
        if (taken > 0 && reached() < target) continue
        await settle()
        // nobody has it (any more): whoever claimed it claims it again, and wakes us
        if (taken === 0 && committed() < target) target = committed()
      }
    } catch (error) {
      if (!stopped) context.onFatal(error)
      stopped = true
    } finally {
      // in the same turn as the last look at `target`, or a wake-up in between would be lost
      supplied = false
      running = undefined
    }
  }

  const wake = (from: readonly string[]): void => {
    peers = from
    running ??= Promise.resolve().then(run)
  }

  return {
    follow: (height, from) => {
      if (stopped || from.length === 0 || height <= committed()) return
      if (height > target) target = height
      wake(from)
    },
    followCheckpoint: (from) => {
      if (stopped || from.length === 0) return
      checkpointWanted = true
      // a fetch under way brings it too, and keeps its own peers
      if (running === undefined) wake(from)
    },
    target: () => (supplied ? target : committed()),
    stop: async () => {
      stopped = true
      await running
    },
  }
}

function itemOf({ publicKey, bytes, signature }: { readonly publicKey: Uint8Array; readonly bytes: Uint8Array; readonly signature: Uint8Array }): SignedItem {
  return { algorithm: 'ed25519', publicKey, message: bytes, signature }
}

/**
 * The payload of a final block as a peer sent it, or why it does not hold. Signatures of its transactions were checked by the quorum that made it final.
 * Throws `verifier/…`.
 */
export async function checkSyncBlock({ decision, references, envelopes }: SyncBlock, next: Height, context: VerificationContext, verifier: Pick<Verifier, 'verifyBatch'>): Promise<Payload | string> {
  const { header } = decision
  if (header.height !== next) return 'not the next height'
  const listed = decisionChecks(decision, context)
  if (!listed.ok) return listed.code === 'unknown-set' ? 'unknown-set' : listed.reason
  if (!bindsReferences(header, references) || envelopes.length !== references.length) return 'not the payload that the header binds'
  const verdicts = await verifier.verifyBatch(listed.checks.map(itemOf))
  if (verdicts.includes(false)) return 'a commit signature that does not verify'
  try {
    const transactions = envelopes.map((encoded) => readyTransaction(decodeTransaction(encoded)))
    return transactions.some(({ transaction }, i) => !equalBytes(transaction.reference, references[i] as Uint8Array)) ? 'an envelope that the header does not bind' : payloadOf(header, references, transactions)
  } catch (error) {
    if (!(error instanceof DongbaekError)) throw error
    return error.message
  }
}
