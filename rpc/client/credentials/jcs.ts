// JSON Canonicalization Scheme (RFC 8785). In JavaScript it is little: numbers and strings are written as ECMAScript writes them, and members sorted by UTF-16 units.
import { DongbaekError } from '../../../primitives/errors.ts'
import type { Json, JsonObject } from '../../../primitives/schema.ts'

const depthMax = 32

/** Throws `vc/json` for what is no I-JSON: numbers that are not finite, broken surrogates, deeper than 32. */
export function canonicalize(value: Json, depth = 0): string {
  if (depth > depthMax) throw new DongbaekError('vc/json', `the document is deeper than ${depthMax}`)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new DongbaekError('vc/json', 'a number is not finite')
  if (typeof value === 'string' && !value.isWellFormed()) throw new DongbaekError('vc/json', 'a string has half a surrogate pair')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((item) => canonicalize(item, depth + 1)).join(',')}]`
  const object = value as JsonObject
  const members = Object.keys(object).sort().map((name) => `${canonicalize(name, depth + 1)}:${canonicalize(object[name] as Json, depth + 1)}`)
  return `{${members.join(',')}}`
}
