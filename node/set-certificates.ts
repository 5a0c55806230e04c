// The chain of validator sets as others can check it: for each set a checkpoint certificate, signed by the set before, that names it. Between the block that agreed on a
// set and its activation there is always one, since no block goes more than a window beyond the last certified one; a node that was not there at the time asks for it.
import { type CheckpointCertificate, checkpointChecks, signersFormQuorum } from '../consensus/certificate.ts'
import { type Epoch, epochHash } from '../consensus/validators.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import type { ChainStore } from './chain-store.ts'
import { decodeCheckpointAnswer, encodeFetchQuestion, type SetChange } from './exchange.ts'
import { answerBytesMax, setCertificateRetryMs, syncTimeoutMs } from './limits.ts'
import { allVerify } from './sync-check.ts'
import type { Clock, Log, Transport, Verifier } from './world.ts'

export interface SetCertificates {
  /** A certificate that names set `number` (from 1), if it is here. */
  readonly of: (number: number) => Promise<CheckpointCertificate | undefined>
  /** Sets from number `from` on with what names them, up to the first without. */
  readonly changes: (from: number, max: number) => Promise<readonly SetChange[]>
  /** Asks peers for what is lacking, until nothing is. Idempotent. */
  readonly seek: () => void
  readonly stop: () => Promise<void>
}

export interface SetCertificatesContext {
  readonly chainId: string
  readonly store: Pick<ChainStore, 'head' | 'checkpointAtOrBelow' | 'putCheckpoint' | 'block'>
  readonly epochs: () => readonly Epoch[]
  readonly transport: Pick<Transport, 'peers' | 'request' | 'blame'>
  readonly verifier: Pick<Verifier, 'verifyBatch'>
  readonly clock: Clock
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export function createSetCertificates({ chainId, store, epochs, transport, verifier, clock, log, onFatal }: SetCertificatesContext): SetCertificates {
  let running: Promise<void> | undefined
  let stopped = false
  let wakeUp = (): void => undefined

  const of = async (number: number): Promise<CheckpointCertificate | undefined> => {
    const epoch = epochs()[number]
    if (epoch === undefined) return undefined
    const certificate = await store.checkpointAtOrBelow((epoch.activation - 1) as Height)
    return certificate !== undefined && equalBytes(certificate.content.nextSet, epochHash(epoch)) ? certificate : undefined
  }

  /** Of sets that are in force: before, it will come by itself. */
  const lacking = async (): Promise<readonly number[]> => {
    const out: number[] = []
    for (const [number, { activation }] of epochs().entries()) if (number > 0 && activation <= store.head().height + 1 && (await of(number)) === undefined) out.push(number)
    return out
  }

  const holds = async (certificate: CheckpointCertificate, epoch: Epoch): Promise<boolean> => {
    const { height, blockHash, nextSet } = certificate.content
    const set = epochs().findLast(({ activation }) => activation <= height)?.set
    if (set === undefined || height >= epoch.activation || !equalBytes(nextSet, epochHash(epoch)) || !signersFormQuorum(set, certificate.signatures)) return false
    const block = store.block(height)
    return (block === undefined || equalBytes(block.certificate.blockHash, blockHash)) && (await allVerify(checkpointChecks(certificate, set, chainId), verifier))
  }

  const ask = async (peer: string, epoch: Epoch): Promise<boolean> => {
    try {
      const question = encodeFetchQuestion({ type: 'checkpoint', at: (epoch.activation - 1) as Height })
      const { certificate } = decodeCheckpointAnswer(await transport.request(peer, 'fetch', question, { timeoutMs: syncTimeoutMs, responseBytesMax: answerBytesMax }))
      // a peer that lacks it too answers with an older one, which is no lie
      if (certificate === undefined || !(await holds(certificate, epoch))) return false
      await store.putCheckpoint(certificate)
      return true
    } catch (error) {
      if (!(error instanceof DongbaekError) || error.code.startsWith('store/')) throw error
      log.debug('set-certificate-not-fetched', { peer, code: codeOf(error) })
      return false
    }
  }

  const run = async (): Promise<void> => {
    for (let wanted = await lacking(); wanted.length > 0 && !stopped; wanted = await lacking()) {
      let found = 0
      for (const number of wanted) {
        for (const { name } of transport.peers().filter(({ connected }) => connected)) {
          if (stopped) return
          if (!(await ask(name, epochs()[number] as Epoch))) continue
          found++
          break
        }
      }
      if (found < wanted.length && !stopped) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(setCertificateRetryMs, resolve)
          wakeUp = () => {
            cancel()
            resolve()
          }
        })
      }
    }
  }

  return {
    of,
    changes: async (from, max) => {
      const out: SetChange[] = []
      for (const [i, { activation, set }] of epochs().slice(from, from + max).entries()) {
        const certificate = await of(from + i)
        if (certificate === undefined) break
        out.push({ activation, set, certificate })
      }
      return out
    },
    seek: () => {
      if (stopped) return
      running ??= run()
        .catch((error: unknown) => {
          if (!stopped) onFatal(error)
        })
        .finally(() => (running = undefined))
    },
    stop: async () => {
      stopped = true
      wakeUp()
      await running
    },
  }
}
