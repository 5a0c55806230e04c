// Many pieces from several peers at once: each peer has one piece in hand, a piece that one could not give is asked of another, and whoever disappoints is asked last.
import { DongbaekError } from '../primitives/errors.ts'
import { joinPauseMs, joinRoundsMax } from './limits.ts'
import type { SyncSources } from './sync-sources.ts'
import type { Clock } from './world.ts'

export interface Distribute<T> {
  readonly pieces: readonly T[]
  readonly sources: SyncSources
  readonly clock: Clock
  /** Who may be asked now. */
  readonly peers: () => readonly string[]
  /** Fetches, checks and keeps one piece; false when this peer could not give it. */
  readonly perform: (piece: T, peer: string) => Promise<boolean>
  readonly stopped: () => boolean
  readonly onDone: (done: number) => void
}

interface Job<T> {
  readonly piece: T
  readonly tried: Set<string>
  running: boolean
}

/** Resolves when all pieces are there. Throws `snapshot/unavailable` when nobody has had one of them for a while, `snapshot/stopped`, and what `perform` throws. */
export async function distribute<T>({ pieces, sources, clock, peers, perform, stopped, onDone }: Distribute<T>): Promise<void> {
  const open = new Set<Job<T>>(pieces.map((piece) => ({ piece, tried: new Set(), running: false })))
  let running = 0
  let rounds = 0
  let failure: { readonly error: unknown } | undefined
  let stir: () => void = () => {}

  const start = async (job: Job<T>, peer: string): Promise<void> => {
    job.running = true
    running++
    sources.begin(peer)
    try {
      if (await perform(job.piece, peer)) {
        open.delete(job)
        rounds = 0
        sources.good(peer)
        onDone(pieces.length - open.size)
      } else job.tried.add(peer)
    } catch (error) {
      failure ??= { error }
    } finally {
      sources.end(peer)
      job.running = false
      running--
      stir()
    }
  }

  const startAll = (): void => {
    sources.set(peers())
    for (const job of open) {
      if (job.running) continue
      const peer = sources.pick(job.tried, running === 0)
      if (peer !== undefined) void start(job, peer)
      else if (!sources.exhausted(job.tried)) return
    }
  }

  const event = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms, resolve)
      stir = () => {
        cancel()
        resolve()
      }
    })

  while (open.size > 0) {
    if (stopped()) failure ??= { error: new DongbaekError('snapshot/stopped', 'the node stops') }
    if (failure === undefined) startAll()
    else if (running === 0) throw failure.error
    if (running === 0) {
      // nobody has what is missing, or nobody is there
      if (++rounds > joinRoundsMax) throw new DongbaekError('snapshot/unavailable', 'no peer could give what is missing of the snapshot')
      await event(joinPauseMs)
      for (const job of open) job.tried.clear()
    } else await event(joinPauseMs)
  }
}
