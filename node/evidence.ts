// Evidence: contradictions of validators seen here, kept across restarts to be shown and to be carried into a governance transaction. Bounded for each
// validator, in bytes, and in all; one is enough to remove a validator, and the first ones stay.
import { message as messageSchema } from '../consensus/messages.ts'
import { evidencePerValidatorMax } from '../consensus/limits.ts'
import type { Blame } from '../consensus/output.ts'
import { concatBytes, toHex, utf8 } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { consensusMessageBytesMax } from '../primitives/limits.ts'
import { bytes, height, type Infer, type JsonObject, list, oneOf, optional, record, slug, view } from '../primitives/schema.ts'
import { sha256 } from '../primitives/hash.ts'
import { evidenceBytesMax, evidenceMax } from './limits.ts'
import type { Store } from './world.ts'

const evidenceRow = record({
  validator: slug,
  publicKey: bytes(32, 32),
  kind: oneOf('pre-prepare', 'prepare', 'commit', 'checkpoint', 'view-change', 'new-view'),
  height: optional(height),
  view: optional(view),
  messages: list(messageSchema, 1, 2),
})
type EvidenceRow = Infer<typeof evidenceRow>

const rowBytesMax = 2 * consensusMessageBytesMax + 1_024
/** e<hash of the row>; one row a contradiction, however often it is seen. */
const prefix = utf8('e')
const end = utf8('f')

export interface Evidence {
  readonly note: (blame: Blame) => void
  readonly all: () => readonly JsonObject[]
  /** How many are kept, by the validator's name. */
  readonly counts: () => ReadonlyMap<string, number>
}

export interface EvidenceContext {
  readonly store: Pick<Store, 'page' | 'batch'>
  readonly onFatal: (error: unknown) => void
}

/** Throws `store/…`, `codec/…`. */
export async function openEvidence({ store, onFatal }: EvidenceContext): Promise<Evidence> {
  const kept = new Map<string, EvidenceRow>()
  const byKey = new Map<string, number>()
  let total = 0
  const keep = (id: string, row: EvidenceRow, size: number): void => {
    kept.set(id, row)
    total += size
    const key = toHex(row.publicKey)
    byKey.set(key, (byKey.get(key) ?? 0) + 1)
  }
  for (const { key, value } of await store.page({ gte: prefix, lt: end, limit: evidenceMax })) keep(toHex(key.subarray(1)), decode(evidenceRow, value, rowBytesMax), value.length)

  return {
    note: ({ validator, kind, height: at, view: inView, messages }) => {
      const row: EvidenceRow = { validator: validator.name, publicKey: validator.publicKey, kind, ...(at === undefined ? {} : { height: at }), ...(inView === undefined ? {} : { view: inView }), messages }
      const encoded = encode(evidenceRow, row)
      const hash = sha256(encoded)
      const id = toHex(hash)
      if (kept.has(id) || (byKey.get(toHex(validator.publicKey)) ?? 0) >= evidencePerValidatorMax || kept.size >= evidenceMax || total + encoded.length > evidenceBytesMax) return
      keep(id, row, encoded.length)
      // synced: a liar does not do it again to oblige us
      store.batch([{ type: 'put', key: concatBytes(prefix, hash), value: encoded }], { sync: true }).catch(onFatal)
    },
    all: () => [...kept.values()].map((row) => evidenceRow.toJson(row) as JsonObject),
    counts: () => {
      const counts = new Map<string, number>()
      for (const { validator } of kept.values()) counts.set(validator, (counts.get(validator) ?? 0) + 1)
      return counts
    },
  }
}
