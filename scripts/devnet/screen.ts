// What the devnet shows: numbered steps with the time they took, and lines beside them.
import { styleText } from 'node:util'

const width = 11

export interface Screen {
  /** One line for a step that was done. */
  readonly step: (name: string, what: string) => void
  /** What follows begins now. */
  readonly mark: () => void
  readonly line: (text?: string) => void
  /** Something the user must see, at any time. */
  readonly alert: (text: string) => void
}

export function createScreen(): Screen {
  let last = performance.now()
  return {
    step: (name, what) => {
      const now = performance.now()
      console.log(`${styleText('bold', name.padEnd(width))}${what} ${styleText('gray', `(${((now - last) / 1_000).toFixed(1)} s)`)}`)
      last = now
    },
    mark: () => {
      last = performance.now()
    },
    line: (text = '') => console.log(text),
    alert: (text) => console.log(styleText('yellow', text)),
  }
}
