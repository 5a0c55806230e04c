// Evidence: contradictions of validators seen here, kept across restarts to be shown and to be carried into a governance transaction. Bounded for each
// validator, in bytes, and in all; one is enough to remove a validator, and the first ones stay.
import { decodeEvidence, encodeEvidence, evidence as evidenceSchema, type EvidenceRecord } from '../consensus/contradiction.ts'
import { evidencePerValidatorMax } from '../consensus/limits.ts'
import type { Blame } from '../consensus/output.ts'
import { concatBytes, toHex, utf8 } from '../primitives/bytes.ts'
import type { JsonObject } from '../primitives/schema.ts'
import { sha256 } from '../primitives/hash.ts'
import { evidenceBytesMax, evidenceMax } from './limits.ts'
import type { Store } from './world.ts'

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
  const kept = new Map<string, EvidenceRecord>()
  const byKey = new Map<string, number>()
  let total = 0
  const keep = (id: string, row: EvidenceRecord, size: number): void => {
    kept.set(id, row)
    total += size
    const key = toHex(row.publicKey)
    byKey.set(key, (byKey.get(key) ?? 0) + 1)
  }
  for (const { key, value } of await store.page({ gte: prefix, lt: end, limit: evidenceMax })) keep(toHex(key.subarray(1)), decodeEvidence(value), value.length)

  return {
    note: ({ validator, kind, height: at, view: inView, messages }) => {
      const row: EvidenceRecord = { validator: validator.name, publicKey: validator.publicKey, kind, ...(at === undefined ? {} : { height: at }), ...(inView === undefined ? {} : { view: inView }), messages }
      const encoded = encodeEvidence(row)
      const hash = sha256(encoded)
      const id = toHex(hash)
      if (kept.has(id) || (byKey.get(toHex(validator.publicKey)) ?? 0) >= evidencePerValidatorMax || kept.size >= evidenceMax || total + encoded.length > evidenceBytesMax) return
      keep(id, row, encoded.length)
      // synced: a liar does not do it again to oblige us
      store.batch([{ type: 'put', key: concatBytes(prefix, hash), value: encoded }], { sync: true }).catch(onFatal)
    },
    all: () => [...kept.values()].map((row) => evidenceSchema.toJson(row) as JsonObject),
    counts: () => {
      const counts = new Map<string, number>()
      for (const { validator } of kept.values()) counts.set(validator, (counts.get(validator) ?? 0) + 1)
      return counts
    },
  }
}
