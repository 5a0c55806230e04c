// Validator sets that a node far behind needs before it can believe a certificate of today: asked of peers, each set named by a certificate of the one before, from
// the last set known here on. The same chain that a phone follows (rpc/client/follow-sets.ts); blocks and state come later.
import { checkpointChecks, signersFormQuorum } from '../consensus/certificate.ts'
import { type Epoch, epochHash, type Schedule } from '../consensus/validators.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { decodeSetsAnswer, encodeFetchQuestion, type SetChange } from './exchange.ts'
import { answerBytesMax, syncTimeoutMs } from './limits.ts'
import { allVerify } from './sync-check.ts'
import type { Log, Transport, Verifier } from './world.ts'

export interface SetLearning {
  /** What is known of the chain's sets, those learnt included; only for certificates above the own head. */
  readonly schedule: () => Schedule
  /** Whether the peer had more. What does not hold is blamed. */
  readonly learnFrom: (peer: string) => Promise<boolean>
}

export interface SetLearningContext {
  readonly chainId: string
  readonly schedule: () => Schedule
  readonly transport: Pick<Transport, 'request' | 'blame'>
  readonly verifier: Pick<Verifier, 'verifyBatch'>
  readonly log: Log
}

export function createSetLearning({ chainId, schedule, transport, verifier, log }: SetLearningContext): SetLearning {
  let learnt: readonly Epoch[] = []
  // by number: those that the own blocks have told come first, and are the same
  const known = (): readonly Epoch[] => {
    const { epochs } = schedule()
    return learnt.length > epochs.length ? learnt : epochs
  }

  const follows = async ({ activation, set, certificate }: SetChange, before: readonly Epoch[]): Promise<boolean> => {
    const { height, nextSet } = certificate.content
    const signing = before.findLast((epoch) => epoch.activation <= height)
    if (signing === undefined || activation <= (before.at(-1)?.activation ?? 0) || height >= activation || !equalBytes(nextSet, epochHash({ activation, set }))) return false
    return signersFormQuorum(signing.set, certificate.signatures) && (await allVerify(checkpointChecks(certificate, signing.set, chainId), verifier))
  }

  return {
    schedule: () => {
      const epochs = known()
      return { epochs, knownTo: Math.max(schedule().knownTo, epochs.at(-1)?.activation ?? 0) as Height }
    },
    learnFrom: async (peer) => {
      const before = known().length
      try {
        for (;;) {
          const epochs = known()
          const question = encodeFetchQuestion({ type: 'sets', from: epochs.length })
          const { changes } = decodeSetsAnswer(await transport.request(peer, 'fetch', question, { timeoutMs: syncTimeoutMs, responseBytesMax: answerBytesMax }))
          if (changes.length === 0) break
          const more = [...epochs]
          for (const change of changes) {
            if (!(await follows(change, more))) {
              transport.blame(peer, 'a validator set that does not follow from the one before')
              return known().length > before
            }
            more.push({ activation: change.activation, set: change.set })
          }
          learnt = more
        }
      } catch (error) {
        if (!(error instanceof DongbaekError)) throw error
        log.debug('sets-not-fetched', { peer, code: codeOf(error) })
      }
      return known().length > before
    },
  }
}
