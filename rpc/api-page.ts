// The API for reading: one page of plain HTML, made from the OpenRPC document and from nothing else. No scripts, nothing from elsewhere, so that it works wherever the node does.
import type { Json, JsonObject } from '../primitives/schema.ts'

interface Described {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly methods: readonly MethodObject[]
  readonly 'x-kinds': Readonly<Record<string, { readonly summary: string; readonly payload: JsonObject }>>
  readonly 'x-events': Readonly<Record<string, { readonly summary: string; readonly fields: JsonObject }>>
  readonly 'x-codes': Readonly<Record<string, { readonly number: number; readonly sentence: string }>>
}

interface MethodObject {
  readonly name: string
  readonly summary: string
  readonly tags: readonly { readonly name: string }[]
  readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: JsonObject }[]
  readonly result: { readonly schema: JsonObject }
  readonly errors: readonly { readonly $ref: string }[]
  readonly examples: readonly { readonly params: readonly { readonly name: string; readonly value: Json }[] }[]
  readonly 'x-cost': number
}

/** Levels of a schema that are written out. The deepest of ours has eight. */
const levelsMax = 12

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}h2{margin-top:3rem}h3{margin-top:2.5rem}code,pre{font-family:ui-monospace,monospace;font-size:.9em}' +
  'pre{background:#f3f3f3;padding:.7rem;overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;border-top:1px solid #ccc;padding:.25rem .5rem}td code,li code{overflow-wrap:anywhere}td:first-child{min-width:9rem}ul{margin:0;padding-left:1.2rem}nav a{margin-right:.8rem;display:inline-block}'

/** `document` is what openRpcDocument makes. */
export function apiPage(document: JsonObject): string {
  const { info, methods, 'x-kinds': kinds, 'x-events': events, 'x-codes': codes } = document as unknown as Described
  const families = [...new Set(methods.map(familyOf))]
  const section = (id: string, title: string, body: string): string => `<section><h2 id="${id}">${title}</h2>${body}</section>`
  const described = (prefix: string, entries: readonly (readonly [name: string, summary: string, schema: JsonObject])[]): string => entries.map(([name, summary, schema]) => `<h3 id="${prefix}-${name}"><code>${text(name)}</code></h3><p>${prose(summary)}</p>${typeOf(schema, 0)}`).join('')
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${text(info.title)}: the API</title><style>${style}</style></head><body><main>`,
    `<h1>${text(info.title)}: the API</h1><p>Version ${text(info.version)}. The same for programs: <a href="openrpc.json">openrpc.json</a>.</p>`,
    info.description.split('\n\n').map((paragraph) => `<p>${prose(paragraph)}</p>`).join(''),
    `<nav>${[...families.map((family) => [`family-${family}`, family]), ['kinds', 'transactions'], ['chain-events', 'events of the chain'], ['codes', 'codes']].map(([id, title]) => `<a href="#${id}">${title}</a>`).join('')}</nav>`,
    ...families.map((family) => section(`family-${family}`, family, methods.filter((one) => familyOf(one) === family).map((one) => methodOf(one, codes)).join(''))),
    section('kinds', 'Transactions', described('kind', Object.entries(kinds).map(([name, { summary, payload }]) => [name, summary, payload]))),
    section('chain-events', 'Events of the chain', described('event', Object.entries(events).map(([name, { summary, fields }]) => [name, summary, fields]))),
    section('codes', 'Codes', `<table><tr><th>code<th>number<th>what it means${Object.entries(codes).map(([code, { number, sentence }]) => `<tr><td id="code-${code}"><code>${text(code)}</code><td>${number}<td>${prose(sentence)}`).join('')}</table>`),
    '</main></body></html>\n',
  ].join('\n')
}

function familyOf({ tags }: MethodObject): string {
  return tags[0]?.name ?? 'other'
}

function methodOf({ name, summary, params, result, errors, examples, 'x-cost': cost }: MethodObject, codes: Described['x-codes']): string {
  const example = { jsonrpc: '2.0', id: 1, method: name, params: Object.fromEntries(examples[0]?.params.map((one) => [one.name, one.value]) ?? []) }
  const rows = params.map((one) => `<tr><td><code>${text(one.name)}</code>${one.required ? '' : ' (optional)'}<td>${typeOf(one.schema, 0)}`)
  const links = errors.map(({ $ref }) => $ref.slice($ref.lastIndexOf('/') + 1).replace('.', '/')).map((code) => `<a href="#code-${code}"><code>${text(code)}</code></a> ${codes[code]?.number ?? ''}`)
  return [
    `<h3 id="${name}"><code>${text(name)}</code></h3><p>${prose(summary)} It costs ${cost} of the caller’s rate.</p>`,
    rows.length === 0 ? '<p>No parameters.</p>' : `<table><tr><th>parameter<th>what it takes${rows.join('')}</table>`,
    `<p>Answers:</p>${typeOf(result.schema, 0)}<p>Errors: ${links.join(', ')}</p>`,
    `<pre>${text(JSON.stringify(example))}</pre>`,
  ].join('')
}

/** A schema in words, fields and items below. */
function typeOf(schema: JsonObject, level: number): string {
  const { type, enum: values, const: only, oneOf, items, properties, required } = schema as { readonly enum?: readonly Json[]; readonly const?: Json; readonly oneOf?: readonly JsonObject[]; readonly items?: JsonObject; readonly properties?: Readonly<Record<string, JsonObject>>; readonly required?: readonly string[]; readonly type?: Json }
  if (level > levelsMax) return 'and so on'
  if (only !== undefined) return `<code>${text(JSON.stringify(only))}</code>`
  if (values !== undefined) return values.map((value) => `<code>${text(JSON.stringify(value))}</code>`).join(' or ')
  if (oneOf !== undefined) return unionOf(oneOf, level)
  if (items !== undefined) return `list of ${bounds(schema['minItems'], schema['maxItems'])}: ${typeOf(items, level + 1)}`
  if (properties !== undefined) {
    const fields = Object.entries(properties).map(([name, field]) => `<li><code>${text(name)}</code>${required?.includes(name) === true ? '' : ' (optional)'}: ${typeOf(field, level + 1)}`)
    return fields.length === 0 ? 'an empty object' : `<ul>${fields.join('')}</ul>`
  }
  switch (type) {
    case 'integer':
      return `integer ${bounds(schema['minimum'], schema['maximum'])}`
    case 'string':
      return `${schema['contentEncoding'] === 'base64url' ? 'bytes in base64url' : 'string'}${schema['maxLength'] === undefined ? '' : ` of ${bounds(schema['minLength'], schema['maxLength'])} characters`}${schema['pattern'] === undefined ? '' : `, <code>${text(typeof schema['pattern'] === 'string' ? schema['pattern'] : '')}</code>`}`
    default:
      return text(typeof type === 'string' ? type : 'any JSON')
  }
}

/** Records that their `type` tells apart; of the events of the chain, which stand in a chapter of their own, the names alone would be a page. */
function unionOf(variants: readonly JsonObject[], level: number): string {
  const types = variants.map(({ properties }) => ((properties as { readonly type?: { readonly const?: Json } } | undefined)?.type?.const))
  if (types.some((type) => typeof type === 'string' && /^[a-z]+\.[a-zA-Z]+$/.test(type))) return 'an <a href="#chain-events">event of the chain</a>, by its <code>type</code>'
  return `one of <ul>${variants.map((variant) => `<li>${typeOf(variant, level + 1)}`).join('')}</ul>`
}

function bounds(min: Json | undefined, max: Json | undefined): string {
  if (min === max && min !== undefined) return figure(min)
  if (max === undefined || max === Number.MAX_SAFE_INTEGER) return min === undefined ? 'any number' : `from ${figure(min)}`
  return min === undefined ? `at most ${figure(max)}` : `${figure(min)} to ${figure(max)}`
}

function figure(value: Json): string {
  return typeof value === 'number' ? value.toLocaleString('en') : JSON.stringify(value)
}

/** What is between backticks is code. */
function prose(plain: string): string {
  return text(plain).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function text(plain: string): string {
  return plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
