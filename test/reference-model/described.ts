// docs/transactions.md names every refusal and every event of a kind: nothing else may come of it.
import { assert } from '../../primitives/errors.ts'
import { chapters } from '../../scripts/reference/all.ts'
import { codesIn, type KindReference } from '../../scripts/reference/chapter.ts'
import type { Executed } from '../../state/execute.ts'
import { envelopeCodes, families, type ReadyTransaction } from '../../state/families.ts'

const kinds: ReadonlyMap<string, KindReference> = new Map(chapters.flatMap((chapter) => Object.entries(chapter.kinds)))
const attestationCodes = families.flatMap(({ codes }) => Object.keys(codes)).filter((code) => code.startsWith('credential/attestation-'))

/** Those of its own rules, and of the kinds whose rules it says it goes by. */
function codesOf(kind: string): readonly string[] {
  const described = kinds.get(kind)
  assert(described !== undefined, `${kind} is described`)
  const others = described.rules.flatMap((rule) => [...rule.matchAll(/\b[a-z]+\.[a-zA-Z]+\b/g)].map(([name]) => name)).filter((name) => name !== kind && kinds.has(name))
  return [...codesIn(described), ...others.flatMap(codesOf), ...(described.rules.some((rule) => rule.includes('codes of an attestation')) ? attestationCodes : [])]
}

const allowed: ReadonlyMap<string, { readonly codes: ReadonlySet<string>; readonly events: ReadonlySet<string> }> = new Map(
  [...kinds].map(([kind, { events }]) => [kind, { codes: new Set([...Object.keys(envelopeCodes), ...codesOf(kind)]), events: new Set(events) }]),
)

export function checkDescribed(transactions: readonly ReadyTransaction[], { receipts }: Executed): void {
  receipts.forEach(({ code, events }, i) => {
    const kind = transactions[i]?.kind.kind ?? ''
    const described = allowed.get(kind)
    assert(described !== undefined, `${kind} is described`)
    assert(code === undefined || described.codes.has(code), `${kind} is not said to be refused with ${code ?? ''}`)
    for (const { type } of events) assert(described.events.has(type), `${kind} is not said to emit ${type}`)
  })
}
