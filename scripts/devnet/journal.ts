// What launch day has sent, kept in the data folder before it is sent. One transaction id runs once, so whatever cut the day short, sending the
// same bytes again goes on where it stopped; and once it is over, the journal is what every receipt can be compared with.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

export interface Entry {
  readonly id: string
  /** The signed bytes, in base64url. */
  readonly bytes: string
  readonly validUntilMs: number
  /** Once it is final. */
  readonly height?: number
  readonly status?: 'ok' | 'refused'
  readonly code?: string
}

interface Content {
  readonly chainId: string
  readonly startedMs: number
  /** When every step had held. */
  completedMs?: number
  /** Salts of what depends on chance, so that a second start makes the same. */
  readonly seed: string
  readonly transactions: Record<string, Entry>
}

export interface Journal extends Readonly<Content> {
  readonly entry: (key: string) => Entry | undefined
  readonly record: (key: string, entry: Entry) => void
  readonly forget: (key: string) => void
  readonly complete: (nowMs: number) => void
}

export function openJournal(file: string, fresh: Pick<Content, 'chainId' | 'startedMs' | 'seed'>): Journal {
  const content: Content = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Content) : { ...fresh, transactions: {} }
  const save = (): void => {
    writeFileSync(`${file}.tmp`, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(`${file}.tmp`, file)
  }
  return {
    ...content,
    entry: (key) => content.transactions[key],
    record: (key, entry) => {
      content.transactions[key] = entry
      save()
    },
    forget: (key) => {
      delete content.transactions[key]
    },
    complete: (nowMs) => {
      content.completedMs = nowMs
      save()
    },
  }
}
