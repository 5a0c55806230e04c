// How a family's chapter of docs/transactions.md is made: fields, bounds, codes and events from the schemas and tables that the node itself uses; who may, the
// order of the rules and the cost from the family's description here, which tests hold against what really happens.
import { type JsonObject, slug } from '../../primitives/schema.ts'
import { families } from '../../state/families.ts'

export interface KindReference {
  readonly who: string
  /** The refusals in the order in which they are looked for: a code, or a sentence with codes in backticks. */
  readonly rules: readonly string[]
  /** What it may emit. */
  readonly events: readonly string[]
  /** State keys read and written. */
  readonly cost: string
}

export interface ChapterReference {
  readonly family: string
  readonly intro: string
  readonly kinds: Readonly<Record<string, KindReference>>
  /** What the chain does by itself, if it does. */
  readonly byItself?: string
  /** What other families ask of this one, with the codes that their transactions are refused with then. */
  readonly byOthers?: string
}

/** The codes that a kind may be refused with, as its description says. */
export function codesIn({ rules }: Pick<KindReference, 'rules'>): ReadonlySet<string> {
  return new Set(rules.flatMap((rule) => rule.match(/[a-z]+\/[a-z-]+/g) ?? []))
}

export function chapterOf(reference: ChapterReference): string {
  const family = families.find(({ name }) => name === reference.family)
  if (family === undefined) throw new Error(`no family ${reference.family}`)
  const kinds = family.kinds.map(({ kind, summary, payload }) => {
    const described = reference.kinds[kind]
    if (described === undefined) throw new Error(`${kind} is not described`)
    return [
      `### ${kind}`,
      '',
      `${sentence(summary)}`,
      '',
      `**Who may:** ${described.who}`,
      '',
      ...fieldTable(fieldsOf(payload.jsonSchema, '')),
      '',
      `**Rules, in order:** ${described.rules.map((rule) => (/^[a-z]+\/[a-z-]+$/.test(rule) ? `\`${rule}\`` : rule)).join(' · ')}`,
      '',
      `**Events:** ${described.events.map((event) => `\`${event}\``).join(' · ')}`,
      '',
      `**Cost:** ${described.cost}`,
      '',
    ].join('\n')
  })
  const events = family.events.map(({ type, summary, schema }) => `| \`${type}\` | ${sentence(summary)} | ${Object.keys((schema.jsonSchema['properties'] ?? {}) as JsonObject).map((name) => `\`${name}\``).join(' ')} |`)
  return [
    `## ${reference.family}`,
    '',
    reference.intro,
    '',
    ...kinds,
    ...(reference.byItself === undefined ? [] : ['### By the chain itself', '', reference.byItself, '']),
    ...(reference.byOthers === undefined ? [] : ['### Asked by others', '', reference.byOthers, '']),
    `### Events of ${reference.family}`,
    '',
    '| event | when | fields |',
    '| --- | --- | --- |',
    ...events,
    '',
    `### Codes of ${reference.family}`,
    '',
    codeTable(family.codes),
    '',
  ].join('\n')
}

export function codeTable(codes: Readonly<Record<string, string>>): string {
  return ['| code | what happened, and what to do |', '| --- | --- |', ...Object.entries(codes).map(([code, text]) => `| \`${code}\` | ${text} |`)].join('\n')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}

function fieldTable(rows: readonly string[]): readonly string[] {
  return rows.length === 0 ? ['No fields.'] : ['| field | what |', '| --- | --- |', ...rows]
}

/** A row for each field, those of a record inside after it. */
function fieldsOf(schema: JsonObject, prefix: string): readonly string[] {
  const required = new Set(schema['required'] as readonly string[])
  return Object.entries(schema['properties'] as { readonly [name: string]: JsonObject }).flatMap(([name, field]) => {
    // which variant it is stands in the path
    if (field['const'] !== undefined) return []
    const path = `${prefix}${name}`
    const row = `| \`${path}\` | ${describe(field)}${required.has(name) ? '' : ', optional'} |`
    const inner = field['type'] === 'array' ? (field['items'] as JsonObject) : field
    const place = field['type'] === 'array' ? `${path}[]` : path
    const variants = variantsOf(inner)
    if (variants !== undefined) return [row, ...variants.flatMap((variant) => fieldsOf(variant, `${place}:${typeOf(variant)}.`))]
    return inner['type'] === 'object' ? [row, ...fieldsOf(inner, `${place}.`)] : [row]
  })
}

function variantsOf(schema: JsonObject): readonly JsonObject[] | undefined {
  return schema['oneOf'] as readonly JsonObject[] | undefined
}

function typeOf(variant: JsonObject): string {
  return ((variant['properties'] as { readonly type: JsonObject }).type['const'] ?? '') as string
}

const thousands = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** What JSON Schema says of a bound or a pattern, as primitives/schema.ts writes it. */
interface Bounds {
  readonly minimum: number
  readonly maximum: number
  readonly minLength: number
  readonly maxLength: number
  readonly minItems: number
  readonly maxItems: number
  readonly pattern?: string
  readonly enum?: readonly string[]
}

function describe(field: JsonObject): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern, enum: words } = field as unknown as Bounds
  const variants = variantsOf(field)
  if (variants !== undefined) return variants.map((variant) => `\`${typeOf(variant)}\``).join(' or ')
  switch (field['type']) {
    case 'integer':
      return maximum === Number.MAX_SAFE_INTEGER ? `integer from ${thousands(minimum)}` : `integer ${thousands(minimum)} … ${thousands(maximum)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `list of ${minItems} … ${maxItems}: ${describe(field['items'] as JsonObject)}`
    case 'object':
      return 'record'
    case 'string': {
      if (words !== undefined) return words.map((word) => `\`${word}\``).join(' or ')
      const bytes = (length: number): number => Math.floor((length * 3) / 4)
      if (field['contentEncoding'] !== undefined) return minLength === maxLength ? `${thousands(bytes(minLength))} bytes` : `${thousands(bytes(minLength))} … ${thousands(bytes(maxLength))} bytes`
      if (pattern === undefined) return `text of ${minLength} … ${maxLength}`
      if (pattern.includes('did:dongbaek:')) return 'DID'
      if (pattern === slug.jsonSchema['pattern']) return `name of lower-case letters, digits and hyphens, at most ${maxLength}`
      return `token \`${pattern.replace(/^\^\(\?:(.*)\)\$$/, '$1').replaceAll('|', '\\|')}\`, at most ${maxLength}`
    }
    default:
      return 'JSON'
  }
}
