// A value of a schema's form, for the examples of the OpenRPC document: an example without a result would stand for a notification there (its specification, Example Pairing Object).
import type { Json, JsonObject } from '../primitives/schema.ts'
import { exampleDid } from './api/declare.ts'

/** Texts of the forms that answers have; of each pattern the first that fits. A pattern that none fits fails the tests. */
const texts: readonly string[] = ['example', exampleDid, 'busan-0123456789abcdef', 'points.spent', 'points/not-found', '127.0.0.1:26400', '2026-03-02', '1.0', 's1', 'LinkedDomains', 'https://busan.example/']

/** Optional fields are left out, a list has one item, a number is the least. Throws where the schema has a form that is not known here. */
export function sampleOf(schema: JsonObject): Json {
  const { const: only, enum: values, oneOf, type, items, properties = {}, required = [] } = schema as { readonly const?: Json; readonly enum?: readonly Json[]; readonly oneOf?: readonly JsonObject[]; readonly type?: string | readonly string[]; readonly items?: JsonObject; readonly properties?: Readonly<Record<string, JsonObject>>; readonly required?: readonly string[] }
  if (only !== undefined) return only
  if (values?.[0] !== undefined) return values[0]
  if (oneOf?.[0] !== undefined) return sampleOf(oneOf[0])
  switch (typeof type === 'object' ? type[0] : type) {
    case 'object':
      return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name] ?? { type: 'object' })]))
    case 'array':
      return schema['maxItems'] === 0 ? [] : Array.from({ length: Math.max(1, Number(schema['minItems'] ?? 0)) }, () => sampleOf(items ?? { type: 'object' }))
    case 'integer':
    case 'number':
      return Number(schema['minimum'] ?? 0)
    case 'boolean':
      return false
    case 'string':
      return textOf(schema)
    default:
      return {}
  }
}

function textOf({ pattern, contentEncoding, minLength, maxLength }: JsonObject): string {
  const [least, most] = [Number(minLength ?? 0), Number(maxLength ?? Number.MAX_SAFE_INTEGER)]
  if (contentEncoding === 'base64url') return 'A'.repeat(Math.max(least, Math.min(most, 4)))
  const found = texts.find((text) => text.length >= least && text.length <= most && (typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text)))
  if (found === undefined) throw new TypeError(`no text of the form ${JSON.stringify(pattern)}, ${least} to ${most} characters`)
  return found
}
