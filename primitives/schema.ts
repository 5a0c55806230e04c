// Schemas: one description of a value gives its TypeScript type, its canonical wire form, its JSON form and its JSON Schema.
// On the wire a record is an array of its fields in declared order, an optional value is null when absent, a union is [tag, body].
// Every bound is checked in both directions: what cannot be decoded cannot be encoded either.
import type { Did, Hash, Height, TimeMs, TransactionId, View, Won } from './brand.ts'
import { fromBase64url, toBase64url } from './bytes.ts'
import { DongbaekError } from './errors.ts'

export type Wire = number | bigint | string | boolean | null | Uint8Array | readonly Wire[]
export type Json = number | string | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export interface Schema<T> {
  /** Throws `codec/invalid` when the value breaks a bound. */
  readonly toWire: (value: T, path: string) => Wire
  /** Throws `codec/invalid` on any other shape. Integers arrive as numbers. */
  readonly fromWire: (wire: Wire, path: string) => T
  /** Bytes become base64url, absent optional fields are left out. */
  readonly toJson: (value: T) => Json
  /** Throws `codec/invalid`; unknown fields are refused. */
  readonly fromJson: (json: Json, path: string) => T
  readonly jsonSchema: JsonObject
}

export type Infer<S> = S extends Schema<infer T> ? T : never

export function invalid(path: string, expected: string): DongbaekError {
  return new DongbaekError('codec/invalid', `${path === '' ? 'value' : path}: expected ${expected}`, { path, expected })
}

/** What a part refused, told with the place of the part. The place is put together here and not on the way down: hardly anything is ever refused. */
function refusedAt(place: string, error: unknown): unknown {
  if (!(error instanceof DongbaekError) || error.code !== 'codec/invalid') return error
  const { path, expected } = error.data as { readonly path: string; readonly expected: string }
  return invalid(path === '' || path.startsWith('[') ? place + path : `${place}.${path}`, expected)
}

/** For schemas whose wire form and JSON form are checked alike. */
function scalar<T extends number | string | boolean>(check: (value: unknown, path: string) => T, jsonSchema: JsonObject): Schema<T> {
  return { toWire: check, fromWire: check, toJson: (value) => value, fromJson: check, jsonSchema }
}

/** An integer in [min, max], within [0, 2^53 − 1]. Above 2^32 − 1 it is a MessagePack int 64. */
export function integer<T extends number = number>(min = 0, max: number = Number.MAX_SAFE_INTEGER): Schema<NoInfer<T>> {
  const check = (value: unknown, path: string): T => {
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max || Object.is(value, -0)) throw invalid(path, `an integer from ${min} to ${max}`)
    return value as T
  }
  return {
    toWire: (value, path) => {
      const checked: number = check(value, path)
      return checked > 0xffff_ffff ? BigInt(checked) : checked
    },
    fromWire: check,
    toJson: (value) => value,
    fromJson: check,
    jsonSchema: { type: 'integer', minimum: min, maximum: max },
  }
}

export const boolean: Schema<boolean> = scalar(
  (value, path) => {
    if (typeof value !== 'boolean') throw invalid(path, 'true or false')
    return value
  },
  { type: 'boolean' },
)

// The repertoire of text on the chain: printable ASCII, Latin-1 letters, general punctuation, ₩, CJK punctuation, kana, compatibility jamo, Han, Hangul syllables, full-width forms.
// A fixed table instead of Unicode normalisation, which changes with the Unicode version of the engine; every string over it is NFC already.
const repertoire = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u00ff\u2010-\u2027\u2030-\u205e\u20a9\u3001-\u3020\u3041-\u3096\u30a1-\u30fa\u30fc\u3131-\u3163\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]*$/

/** Single-line text of the chain's repertoire, `min` to `max` UTF-16 units long, neither starting nor ending with a space. */
export function text(min: number, max: number): Schema<string> {
  return scalar(
    (value, path) => {
      if (typeof value !== 'string' || value.length < min || value.length > max) throw invalid(path, `text of ${min} to ${max} characters`)
      if (!repertoire.test(value)) throw invalid(path, 'text of letters, digits and punctuation only (docs/protocol.md, text)')
      if (value.startsWith(' ') || value.endsWith(' ')) throw invalid(path, 'text without a space at either end')
      return value
    },
    { type: 'string', minLength: min, maxLength: max },
  )
}

/** A name made for machines, matched whole by `pattern` (which must admit ASCII without `/` only). */
export function token<T extends string = string>(pattern: RegExp, max: number, what: string): Schema<NoInfer<T>> {
  const whole = new RegExp(`^(?:${pattern.source})$`)
  return scalar(
    (value, path) => {
      if (typeof value !== 'string' || value.length > max || !whole.test(value)) throw invalid(path, what)
      return value as T
    },
    { type: 'string', pattern: whole.source, maxLength: max },
  )
}

export function oneOf<const T extends string>(...values: readonly T[]): Schema<T> {
  const known: ReadonlyMap<unknown, T> = new Map(values.map((value) => [value, value]))
  return scalar(
    (value, path) => {
      // the constant, not its copy that was just decoded: values of the state live long
      const constant = known.get(value)
      if (constant === undefined) throw invalid(path, `one of ${values.join(', ')}`)
      return constant
    },
    { type: 'string', enum: values },
  )
}

/** `min` to `max` bytes. */
export function bytes<T extends Uint8Array = Uint8Array>(min: number, max: number): Schema<NoInfer<T>> {
  const expected = min === max ? `${min} bytes` : `${min} to ${max} bytes`
  const check = (value: unknown, path: string): T => {
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max) throw invalid(path, expected)
    return value as T
  }
  return {
    toWire: check,
    fromWire: check,
    toJson: toBase64url,
    fromJson: (json, path) => {
      const decoded = typeof json === 'string' && json.length <= Math.ceil((max * 4) / 3) ? fromBase64url(json) : undefined
      if (decoded === undefined) throw invalid(path, `${expected} in base64url without padding`)
      return check(decoded, path)
    },
    jsonSchema: { type: 'string', contentEncoding: 'base64url', minLength: Math.ceil((min * 4) / 3), maxLength: Math.ceil((max * 4) / 3) },
  }
}

function each<A, B>(items: readonly A[], path: string, act: (item: A, path: string) => B): readonly B[] {
  const out = new Array<B>(items.length)
  let i = 0
  try {
    for (; i < items.length; i++) out[i] = act(items[i] as A, '')
  } catch (error) {
    throw refusedAt(`${path}[${i}]`, error)
  }
  return out
}

export function list<T>(item: Schema<T>, min: number, max: number): Schema<readonly T[]> {
  const bound = (length: number, path: string): void => {
    if (length < min || length > max) throw invalid(path, `a list of ${min} to ${max}`)
  }
  return {
    toWire: (values, path) => {
      bound(values.length, path)
      return each(values, path, item.toWire)
    },
    fromWire: (wire, path) => {
      if (!Array.isArray(wire)) throw invalid(path, 'a list')
      bound(wire.length, path)
      return each(wire as readonly Wire[], path, item.fromWire)
    },
    toJson: (values) => values.map(item.toJson),
    fromJson: (json, path) => {
      if (!Array.isArray(json)) throw invalid(path, 'a list')
      bound(json.length, path)
      return each(json as readonly Json[], path, item.fromJson)
    },
    jsonSchema: { type: 'array', items: item.jsonSchema, minItems: min, maxItems: max },
  }
}

const absent: unique symbol = Symbol('absent')
export interface Optional<T> extends Schema<T | undefined> {
  readonly [absent]: true
}

/** A field that may be left out: null on the wire, missing in JSON, undefined in TypeScript. */
export function optional<T>(item: Schema<T>): Optional<T> {
  return {
    [absent]: true,
    toWire: (value, path) => (value === undefined ? null : item.toWire(value, path)),
    fromWire: (wire, path) => (wire === null ? undefined : item.fromWire(wire, path)),
    toJson: (value) => (value === undefined ? null : item.toJson(value)),
    fromJson: (json, path) => item.fromJson(json, path),
    jsonSchema: item.jsonSchema,
  }
}

/** Any schema at all: what it decodes is unknown, and nothing can be encoded by it unseen. */
interface AnySchema {
  readonly toWire: (value: never, path: string) => Wire
  readonly fromWire: (wire: Wire, path: string) => unknown
  readonly toJson: (value: never) => Json
  readonly fromJson: (json: Json, path: string) => unknown
  readonly jsonSchema: JsonObject
}
export type Fields = Readonly<Record<string, AnySchema>>
type ValueOf<S> = S extends { readonly fromWire: (wire: Wire, path: string) => infer T } ? T : never
type OptionalNames<F> = { [K in keyof F]: F[K] extends { readonly [absent]: true } ? K : never }[keyof F]
type Flatten<T> = { [K in keyof T]: T[K] }
export type RecordOf<F> = Flatten<
  { readonly [K in Exclude<keyof F, OptionalNames<F>>]: ValueOf<F[K]> } & { readonly [K in OptionalNames<F>]?: ValueOf<F[K]> }
>

/** Fields in declared order. Adding, removing or moving a field changes the wire form. */
export function record<const F extends Fields>(fields: F): Schema<RecordOf<F>> {
  const entries = Object.entries(fields) as unknown as readonly (readonly [string, Schema<unknown>])[]
  const names: ReadonlySet<string> = new Set(Object.keys(fields))
  const isOptional = (schema: Schema<unknown>): boolean => absent in schema
  const at = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
  return {
    toWire: (value, path) => {
      const out = new Array<Wire>(entries.length)
      let i = 0
      try {
        for (; i < entries.length; i++) {
          const [name, schema] = entries[i] as readonly [string, Schema<unknown>]
          out[i] = schema.toWire((value as Record<string, unknown>)[name], '')
        }
      } catch (error) {
        throw refusedAt(at(path, entries[i]?.[0] ?? ''), error)
      }
      return out
    },
    fromWire: (wire, path) => {
      if (!Array.isArray(wire) || wire.length !== entries.length) throw invalid(path, `a record of ${entries.length} fields`)
      const out: Record<string, unknown> = {}
      let i = 0
      try {
        for (; i < entries.length; i++) {
          const [name, schema] = entries[i] as readonly [string, Schema<unknown>]
          const value = schema.fromWire((wire as readonly Wire[])[i] as Wire, '')
          if (value !== undefined) out[name] = value
        }
      } catch (error) {
        throw refusedAt(at(path, entries[i]?.[0] ?? ''), error)
      }
      return out as RecordOf<F>
    },
    toJson: (value) => {
      const out: Record<string, Json> = {}
      for (const [name, schema] of entries) {
        const field = (value as Record<string, unknown>)[name]
        if (field !== undefined) out[name] = schema.toJson(field)
      }
      return out
    },
    fromJson: (json, path) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(path, 'an object')
      for (const name of Object.keys(json)) if (!names.has(name)) throw invalid(at(path, name), 'no such field')
      const out: Record<string, unknown> = {}
      for (const [name, schema] of entries) {
        const field = Object.hasOwn(json, name) ? (json as JsonObject)[name] : undefined
        if (field === undefined) {
          if (!isOptional(schema)) throw invalid(at(path, name), 'a value (it is missing)')
        } else out[name] = schema.fromJson(field, at(path, name))
      }
      return out as RecordOf<F>
    },
    jsonSchema: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, schema]) => [name, schema.jsonSchema])),
      required: entries.filter(([, schema]) => !isOptional(schema)).map(([name]) => name),
      additionalProperties: false,
    },
  }
}

type UnionOf<V> = { [K in keyof V]: Flatten<{ readonly type: K } & ValueOf<V[K]>> }[keyof V]

/** A tagged union of records: `{ type: 'a', … }` in TypeScript and JSON, [tag, [fields]] on the wire. */
export function union<const V extends Fields>(variants: V): Schema<UnionOf<V>> {
  const known = new Map(Object.entries(variants) as unknown as readonly (readonly [string, Schema<unknown>])[])
  const variantOf = (tag: unknown, path: string): Schema<unknown> => {
    const variant = typeof tag === 'string' ? known.get(tag) : undefined
    if (variant === undefined) throw invalid(path === '' ? 'type' : `${path}.type`, `one of ${[...known.keys()].join(', ')}`)
    return variant
  }
  return {
    toWire: (value, path) => {
      const { type } = value as { readonly type: string }
      return [type, variantOf(type, path).toWire(value, path)]
    },
    fromWire: (wire, path) => {
      if (!Array.isArray(wire) || wire.length !== 2) throw invalid(path, 'a tagged value')
      const [type, body] = wire as [Wire, Wire]
      return { type, ...(variantOf(type, path).fromWire(body, path) as object) } as UnionOf<V>
    },
    toJson: (value) => {
      const { type } = value as { readonly type: string }
      return { type, ...(variantOf(type, '').toJson(value) as JsonObject) }
    },
    fromJson: (json, path) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(path, 'an object')
      const { type, ...body } = json as JsonObject
      return { type, ...(variantOf(type, path).fromJson(body, path) as object) } as UnionOf<V>
    },
    jsonSchema: {
      oneOf: [...known].map(([type, variant]) => {
        const { properties, required } = variant.jsonSchema as { readonly properties: JsonObject; readonly required: readonly Json[] }
        return { type: 'object', properties: { type: { const: type }, ...properties }, required: ['type', ...required], additionalProperties: false }
      }),
    },
  }
}

/** A narrower schema: `check` returns what was expected when the value does not hold. */
export function refine<T>(base: Schema<T>, check: (value: T) => string | undefined): Schema<T> {
  const refined = (value: T, path: string): T => {
    const expected = check(value)
    if (expected !== undefined) throw invalid(path, expected)
    return value
  }
  return {
    ...base,
    toWire: (value, path) => base.toWire(refined(value, path), path),
    fromWire: (wire, path) => refined(base.fromWire(wire, path), path),
    fromJson: (json, path) => refined(base.fromJson(json, path), path),
  }
}

/** Names and simple values, sorted by name: the data of a refusal. */
export const attributes: Schema<Readonly<Record<string, string | number>>> = (() => {
  const name = token(/[a-zA-Z][a-zA-Z0-9]*/, 40, 'a name of letters and digits')
  const number = integer()
  const entry = (key: string, value: unknown, path: string): [string, string | number] => {
    name.fromWire(key, path)
    if (typeof value === 'number') return [key, number.fromWire(value, `${path}.${key}`)]
    if (typeof value === 'string' && value.length <= 200) return [key, value]
    throw invalid(`${path}.${key}`, 'an integer or a short string')
  }
  const sorted = (value: Readonly<Record<string, unknown>>, path: string): [string, string | number][] => {
    const keys = Object.keys(value).sort()
    if (keys.length > 16) throw invalid(path, 'at most 16 names')
    return keys.map((key) => entry(key, value[key], path))
  }
  return {
    toWire: (value, path) => sorted(value, path).map(([key, item]) => [key, typeof item === 'number' ? number.toWire(item, path) : item]),
    fromWire: (wire, path) => {
      if (!Array.isArray(wire) || wire.length > 16) throw invalid(path, 'a list of at most 16 names and values')
      const out: Record<string, string | number> = {}
      for (const pair of wire as readonly Wire[]) {
        if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') throw invalid(path, 'a name and a value')
        const [key, value] = entry(pair[0], pair[1], path)
        out[key] = value
      }
      return out
    },
    toJson: (value) => ({ ...value }),
    fromJson: (json, path) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(path, 'an object')
      return Object.fromEntries(sorted(json as JsonObject, path))
    },
    jsonSchema: { type: 'object', additionalProperties: { type: ['string', 'integer'] }, maxProperties: 16 },
  }
})()

// The scalars that several folders share.
export const hash: Schema<Hash> = bytes<Hash>(32, 32)
export const transactionId: Schema<TransactionId> = bytes<TransactionId>(32, 32)
export const height: Schema<Height> = integer<Height>(0)
export const view: Schema<View> = integer<View>(0, 0xffff_ffff)
export const timeMs: Schema<TimeMs> = integer<TimeMs>(0)
export const won: Schema<Won> = integer<Won>(0)
/** `did:dongbaek:` and the base64url of the first 20 bytes of a tagged hash over the first keys (state/did). */
export const did: Schema<Did> = token<Did>(/did:dongbaek:[A-Za-z0-9_-]{27}/, 40, 'a DID did:dongbaek:… with 27 base64url characters')
/** A short lower-case name: of an organisation, a programme, a facility. */
export const slug: Schema<string> = token(/[a-z0-9]+(?:-[a-z0-9]+)*/, 64, 'lower-case letters and digits joined by hyphens, at most 64')

