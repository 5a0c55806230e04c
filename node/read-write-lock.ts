// Many read at once, or one writes, in the order of the calls: a reader that comes while somebody waits to write waits behind him, so that nobody waits for ever.

export interface ReadWriteLock {
  readonly read: <T>(act: () => Promise<T>) => Promise<T>
  readonly write: <T>(act: () => Promise<T>) => Promise<T>
}

export function createReadWriteLock(): ReadWriteLock {
  const settled = async (run: Promise<unknown>): Promise<void> => run.then(() => {}, () => {})
  let lastWrite: Promise<void> = Promise.resolve()
  /** Since the last write was asked for. */
  let readers = new Set<Promise<void>>()
  return {
    read: async (act) => {
      const run = lastWrite.then(act)
      const own = readers
      const ended = settled(run).then(() => void own.delete(ended))
      own.add(ended)
      return run
    },
    write: async (act) => {
      const run = Promise.all([lastWrite, ...readers]).then(act)
      readers = new Set()
      lastWrite = settled(run)
      return run
    },
  }
}
