// The simulated vote log: the contract of node/world.ts over a simulated disk. Appends that wait together share one sync.
import { DongbaekError } from '../../../primitives/errors.ts'
import type { OpenedVoteLog } from '../../../node/world.ts'
import type { Kernel } from '../kernel.ts'
import type { Disk } from './disk.ts'
import { type Life, never } from './life.ts'

export interface VoteLogWorld {
  readonly kernel: Kernel
  readonly life: Life
  readonly disk: Disk
  readonly delayMs: () => number
  /** Bytes that a record takes up beside its own: with large ones the log is cut down often. */
  readonly overheadBytes: number
}

interface Write {
  readonly records: readonly Uint8Array[]
  readonly how: 'append' | 'rewrite' | 'renew'
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Throws `votelog/damaged`. */
export function openSimulatedVoteLog({ kernel, life, disk, delayMs, overheadBytes }: VoteLogWorld): OpenedVoteLog {
  if (disk.damagedVotes) throw new DongbaekError('votelog/damaged', 'the vote log is damaged: move the data folder away and start again')
  const waiting: Write[] = []
  let writing = false
  let failed = false
  let bytes = sizeOf(disk.votes.records)
  const idle: (() => void)[] = []

  function sizeOf(records: readonly Uint8Array[]): number {
    return records.reduce((sum, record) => sum + record.length + overheadBytes, 0)
  }

  /** The next write that replaces everything, or all appends up to it. */
  function take(): readonly Write[] {
    const until = waiting.findIndex(({ how }) => how !== 'append')
    return waiting.splice(0, until < 0 ? waiting.length : Math.max(1, until))
  }

  function write(): void {
    if (writing) return
    const batch = take()
    if (batch.length === 0) {
      for (const resolve of idle.splice(0)) resolve()
      return
    }
    writing = true
    const records = batch.flatMap((one) => one.records)
    const how = batch[0]?.how ?? 'append'
    const before = disk.votes
    const next = { ...(how === 'renew' ? disk.anotherLog() : before), batch: how === 'renew' ? 0 : before.batch + 1, records: how === 'append' ? [...before.records, ...records] : records }
    disk.nextVotes = next
    kernel.after(delayMs(), () => {
      if (!life.alive) return
      writing = false
      failed ||= disk.full
      disk.nextVotes = undefined
      if (failed) {
        const error = new DongbaekError('votelog/failed', 'the disk is full: make room and start again')
        for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error)
        write()
        return
      }
      disk.votes = next
      bytes = sizeOf(next.records)
      if (life.passes()) for (const { resolve } of batch) resolve()
      write()
    })
  }

  const put = async (records: readonly Uint8Array[], how: Write['how']): Promise<void> => {
    if (failed) throw new DongbaekError('votelog/failed', 'the vote log has failed')
    if (!life.passes()) return never()
    return new Promise((resolve, reject) => {
      waiting.push({ records, how, resolve, reject })
      write()
    })
  }

  return {
    records: disk.votes.records,
    cutBytes: 0,
    created: disk.votes.batch === 0,
    log: {
      append: async (records) => put(records, 'append'),
      rewrite: async (records) => put(records, 'rewrite'),
      renew: async () => put([], 'renew'),
      position: () => ({ log: disk.votes.log, batch: disk.votes.batch }),
      sizeBytes: () => bytes,
      close: async () => (writing ? new Promise((resolve) => idle.push(resolve)) : undefined),
    },
  }
}
