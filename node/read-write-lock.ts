// Many read at once, or one writes, in the order of the calls: a reader that comes while somebody waits to write waits behind him, so that nobody waits for ever. Readers are at most
// so many at once, so that a writer waits for these alone and not for a crowd.

export interface ReadWriteLock {
  readonly read: <T>(act: () => Promise<T>) => Promise<T>
  readonly write: <T>(act: () => Promise<T>) => Promise<T>
}

export function createReadWriteLock(readersMax: number): ReadWriteLock {
  const settled = async (run: Promise<unknown>): Promise<void> => run.then(() => {}, () => {})
  let lastWrite: Promise<void> = Promise.resolve()
  /** Since the last write was asked for. */
  let readers = new Set<Promise<void>>()
  let reading = 0
  const outside: (() => void)[] = []

  const leave = (): void => {
    const next = outside.shift()
    if (next === undefined) reading--
    else next()
  }

  return {
    read: async (act) => {
      if (reading < readersMax) reading++
      // who leaves gives his place on
      else await new Promise<void>((resolve) => outside.push(resolve))
      const run = lastWrite.then(act)
      const own = readers
      const ended = settled(run).then(() => void own.delete(ended))
      own.add(ended)
      try {
        return await run
      } finally {
        leave()
      }
    },
    write: async (act) => {
      const run = Promise.all([lastWrite, ...readers]).then(act)
      readers = new Set()
      lastWrite = settled(run)
      return run
    },
  }
}
