// The simulated store: the contract of node/world.ts over a simulated disk. A batch is seen and acknowledged after a while, in the order of the calls.
import { DongbaekError } from '../../../primitives/errors.ts'
import { storeReadersMax } from '../../../node/limits.ts'
import { createReadWriteLock } from '../../../node/read-write-lock.ts'
import { lend, pageLimit, readerBy } from '../../../node/store-range.ts'
import type { Store, StoreEntry, StoreRange, StoreReader } from '../../../node/world.ts'
import type { Kernel } from '../kernel.ts'
import type { Disk } from './disk.ts'
import { type Life, never } from './life.ts'

export interface StoreWorld {
  readonly kernel: Kernel
  readonly life: Life
  readonly disk: Disk
  /** How long this batch takes. */
  readonly delayMs: (sync: boolean) => number
}

export function keyOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function bytesOf(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length)
  for (let i = 0; i < key.length; i++) bytes[i] = key.charCodeAt(i)
  return bytes
}

export function createSimulatedStore({ kernel, life, disk, delayMs }: StoreWorld): Store {
  let closed = false
  const lock = createReadWriteLock(storeReadersMax)

  const rows = (): ReadonlyMap<string, Uint8Array> => {
    if (closed) throw new DongbaekError('store/closed', 'the store is closed')
    return disk.rows
  }
  const intact = (key: string, value: Uint8Array): Uint8Array => {
    if (disk.damagedRows.has(key)) throw new DongbaekError('store/damaged', 'a stored value does not fit its checksum: move the data folder away and start again')
    return value.slice()
  }
  const get = (bytes: Uint8Array): Uint8Array | undefined => {
    const key = keyOf(bytes)
    const value = rows().get(key)
    return value === undefined ? undefined : intact(key, value)
  }
  const open = ([key, value]: readonly [string, Uint8Array]): StoreEntry => ({ key: bytesOf(key), value: intact(key, value) })
  const page: StoreReader['page'] = async (range) => select(rows(), { ...range, limit: pageLimit(range) }).map(open)

  return {
    place: 'the simulated disk',
    ...readerBy(get, (range) => lock.read(() => page(range))),
    batch: async (ops, { sync }) => {
      rows()
      if (!life.passes()) return never()
      const changes = new Map(ops.map((op) => [keyOf(op.key), op.type === 'put' ? op.value.slice() : undefined]))
      const doneMs = kernel.nowMs + delayMs(sync)
      return lock.write(
        () =>
          new Promise((resolve, reject) => {
            kernel.at(Math.max(doneMs, kernel.nowMs), () => {
              if (!life.alive) return
              if (disk.full) {
                reject(new DongbaekError('store/failed', 'the disk is full: make room and start again'))
                return
              }
              disk.apply(changes)
              if (sync) disk.syncStore()
              if (life.passes()) resolve()
            })
          }),
      )
    },
    hold: (read) => lock.read(() => lend(get, page, read)),
    // rows that are deleted leave nothing here
    scrub: async () => void rows(),
    approximateBytes: async (from, to) => select(rows(), { gte: from, lt: to }).reduce((sum, [key, value]) => sum + key.length + value.length, 0),
    close: () =>
      lock.write(async () => {
        // as LevelDB does it, only what was synced is sure to be there; but nobody cuts the power now
        closed = true
      }),
  }
}

function select(rows: ReadonlyMap<string, Uint8Array>, { gt, gte, lt, lte, reverse, limit }: StoreRange): (readonly [string, Uint8Array])[] {
  const [above, from, below, to] = [gt, gte, lt, lte].map((bytes) => (bytes === undefined ? undefined : keyOf(bytes)))
  const chosen: (readonly [string, Uint8Array])[] = []
  for (const entry of rows) {
    const [key] = entry
    if ((above === undefined || key > above) && (from === undefined || key >= from) && (below === undefined || key < below) && (to === undefined || key <= to)) chosen.push(entry)
  }
  chosen.sort(([a], [b]) => (a < b ? -1 : 1))
  if (reverse === true) chosen.reverse()
  return limit === undefined || limit < 0 ? chosen : chosen.slice(0, limit)
}
