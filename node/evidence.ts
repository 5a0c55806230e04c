// Evidence: contradictions of validators seen here, kept to be shown and to be carried into a governance transaction. Bounded in number and bytes.
import { encodeMessage, message as messageSchema } from '../consensus/messages.ts'
import type { Blame } from '../consensus/output.ts'
import type { JsonObject } from '../primitives/schema.ts'
import { evidenceBytesMax, evidenceMax } from './limits.ts'

export interface Evidence {
  readonly note: (blame: Blame) => void
  readonly all: () => readonly JsonObject[]
}

export function createEvidence(): Evidence {
  const kept: JsonObject[] = []
  let bytes = 0
  return {
    note: ({ validator, kind, height, view, messages }) => {
      const size = messages.reduce((sum, one) => sum + encodeMessage(one).length, 0)
      if (kept.length >= evidenceMax || bytes + size > evidenceBytesMax) return
      bytes += size
      kept.push({ validator: validator.name, kind, ...(height === undefined ? {} : { height }), ...(view === undefined ? {} : { view }), messages: messages.map(messageSchema.toJson) })
    },
    all: () => kept,
  }
}
