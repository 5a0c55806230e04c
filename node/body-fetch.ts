// Fetches bodies that posts refer to and that this node lacks, because it was down when they were spread: from one peer after the other, some at a time, each
// checked by its hash. While nothing comes the pause doubles, since a body that nobody has may never come.
import { equalBytes } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import type { Bodies } from './bodies.ts'
import { answerBodiesMax, decodeBodiesAnswer, encodeFetchQuestion } from './exchange.ts'
import { answerBytesMax, bodyFetchPauseMaxMs, bodyFetchPauseMs, syncTimeoutMs } from './limits.ts'
import type { Clock, Log, Transport } from './world.ts'

export interface BodyFetch {
  readonly start: () => void
  readonly stop: () => void
}

export interface BodyFetchContext {
  readonly bodies: Pick<Bodies, 'missing' | 'put'>
  readonly transport: Pick<Transport, 'request'>
  readonly peers: () => readonly string[]
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export function createBodyFetch({ bodies, transport, peers, clock, log, onFatal }: BodyFetchContext): BodyFetch {
  let pauseMs = bodyFetchPauseMs
  let turn = 0
  let cancel: () => void = () => {}
  let isStopped = false

  /** False when some are wanted and none came. */
  const fetchSome = async (): Promise<boolean> => {
    const wanted = await bodies.missing(answerBodiesMax)
    const names = peers()
    const peer = names[turn++ % Math.max(1, names.length)]
    if (wanted.length === 0) return true
    if (peer === undefined) return false
    let came = 0
    try {
      const answer = await transport.request(peer, 'fetch', encodeFetchQuestion({ type: 'bodies', hashes: wanted }), { timeoutMs: syncTimeoutMs, responseBytesMax: answerBytesMax })
      // under its own hash: what was not asked for waits like any body a peer sends, within that peer's share
      for (const body of decodeBodiesAnswer(answer).bodies) {
        if (isStopped) break
        const hash = await bodies.put(body, peer)
        if (wanted.some((each) => equalBytes(each, hash))) came++
      }
    } catch (error) {
      if (!(error instanceof DongbaekError)) throw error
      log.debug('bodies-not-fetched', { peer, code: codeOf(error) })
    }
    if (came > 0) log.debug('bodies-fetched', { bodies: came })
    return came > 0
  }
  const next = (): void => {
    cancel = clock.after(pauseMs, () => {
      fetchSome().then((isWell) => {
        pauseMs = isWell ? bodyFetchPauseMs : Math.min(2 * pauseMs, bodyFetchPauseMaxMs)
        if (!isStopped) next()
      }, onFatal)
    })
  }
  return {
    start: next,
    stop: () => {
      isStopped = true
      cancel()
    },
  }
}
