// Lies of a node: its true answer with one thing changed, at every place there is.
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'

/** Every way to change one thing in a JSON value: each number, each character of a string (and so each byte), each length of a list, each field. */
export function* mutations(value: Json): Generator<Json> {
  if (typeof value === 'number') {
    yield value + 1
    if (value > 0) yield value - 1
  } else if (typeof value === 'string') {
    for (let i = 0; i < value.length; i++) yield value.slice(0, i) + (value[i] === 'A' ? 'B' : 'A') + value.slice(i + 1)
    yield value.slice(0, -4)
    yield `${value}AAAA`
  } else if (Array.isArray(value)) {
    const items = value as readonly Json[]
    for (const [i, item] of items.entries()) for (const changed of mutations(item)) yield items.with(i, changed)
    for (const i of items.keys()) yield items.toSpliced(i, 1)
    if (items.length > 1) yield items.toReversed()
    if (items.length > 0) yield [...items, items[0] as Json]
  } else if (typeof value === 'object' && value !== null) {
    const fields = value as JsonObject
    for (const [name, field] of Object.entries(fields)) {
      for (const changed of mutations(field)) yield { ...fields, [name]: changed }
      const { [name]: _, ...rest } = fields
      yield rest
    }
  }
}

/** Tries every lie; those that are believed, or that break the client, are wrong. */
export function believed(truth: Json, verify: (answer: Json) => string): { readonly tried: number; readonly wrong: readonly string[] } {
  const told = verify(truth)
  const wrong: string[] = []
  let tried = 0
  for (const changed of mutations(truth)) {
    tried++
    try {
      // more signatures than a quorum, or a longer way round, are no lie: what comes of them is
      if (verify(changed) !== told) wrong.push(JSON.stringify(changed))
    } catch (thrown) {
      if (!(thrown instanceof DongbaekError)) wrong.push(`${String(thrown)} for ${JSON.stringify(changed)}`)
    }
  }
  return { tried, wrong: wrong.slice(0, 3) }
}
