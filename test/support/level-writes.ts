// LevelDB watched: what is told of each batch that it is given, of either kind.
import { ClassicLevel } from 'classic-level'
import type { Test } from 'tap'

export interface WriteOptions {
  readonly sync: boolean
}

interface Chained {
  write: (options: WriteOptions) => Promise<void>
}

/** Calls `begins` when a batch is given to LevelDB, and what that gives back when it is written. */
export function watchWrites(t: Test, begins: (options: WriteOptions) => () => void): void {
  // inherited by ClassicLevel, and hidden here by one of its own
  const original = Object.getPrototypeOf(ClassicLevel.prototype) as { batch: (...args: unknown[]) => Promise<void> | Chained }
  const watched = async (options: WriteOptions, write: () => Promise<void>): Promise<void> => {
    const ended = begins(options)
    await write()
    ended()
  }
  Object.assign(ClassicLevel.prototype, {
    batch(this: ClassicLevel, ...args: unknown[]): Promise<void> | Chained {
      if (args.length > 0) return watched(args[1] as WriteOptions, async () => original.batch.apply(this, args) as Promise<void>)
      const chained = original.batch.call(this) as Chained
      const write = chained.write.bind(chained)
      chained.write = (options) => watched(options, () => write(options))
      return chained
    },
  })
  t.teardown(() => Reflect.deleteProperty(ClassicLevel.prototype, 'batch'))
}
