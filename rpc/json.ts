// JSON (RFC 8259) as strangers send it: bounded in depth, every name once in an object, no `__proto__`, no number beyond what a double holds.
// JSON.parse lets all of these pass. Besides, the raw text of members named "id" near the top is kept, because an id must
// come back byte for byte and a double would round a large one.
import type { Json, JsonObject } from '../primitives/schema.ts'

export interface ParsedJson {
  readonly value: Json
  /** The raw text of the member "id" of objects on the first two levels: a call, or a call within a batch. */
  readonly rawIds: ReadonlyMap<JsonObject, string>
}

/** What is wrong, in words for whoever sent it. */
export class JsonError extends Error {}

const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const space = /[ \t\n\r]*/y

/** Throws JsonError. The time taken is linear in the length of the text, the stack bounded by `depthMax`. */
export function parseJson(text: string, depthMax: number): ParsedJson {
  const rawIds = new Map<JsonObject, string>()
  let at = 0

  const fail = (what: string): never => {
    throw new JsonError(`${what} at character ${at}`)
  }
  const skipSpace = (): void => {
    const code = text.charCodeAt(at)
    if (code > 0x20) return
    space.lastIndex = at
    space.test(text)
    at = space.lastIndex
  }
  const match = (token: RegExp): string | undefined => {
    token.lastIndex = at
    if (!token.test(text)) return undefined
    const from = at
    at = token.lastIndex
    return text.slice(from, at)
  }
  const parseString = (): string => {
    let end = at
    do {
      end = text.indexOf('"', end + 1)
      if (end < 0) fail('a string that does not end')
    } while (isEscaped(text, end))
    try {
      const value = JSON.parse(text.slice(at, end + 1)) as string
      at = end + 1
      return value
    } catch {
      return fail('a string with a control character or an escape that does not exist')
    }
  }
  const parseNumber = (): number => {
    const token = match(numberToken) ?? fail('something that is not JSON')
    const value = Number(token)
    return Number.isFinite(value) ? value : fail('a number beyond the range of a double')
  }
  const parseWord = (word: string, value: Json): Json => {
    if (!text.startsWith(word, at)) fail('something that is not JSON')
    at += word.length
    return value
  }
  const parseArray = (depth: number): Json => {
    const items: Json[] = []
    at++
    skipSpace()
    if (text[at] === ']') {
      at++
      return items
    }
    for (;;) {
      items.push(parseValue(depth))
      skipSpace()
      const next = text[at]
      if (next !== ',' && next !== ']') fail('"," or "]" expected')
      at++
      if (next === ']') return items
    }
  }
  const parseObject = (depth: number): JsonObject => {
    const members: Record<string, Json> = {}
    at++
    skipSpace()
    if (text[at] === '}') {
      at++
      return members
    }
    for (;;) {
      skipSpace()
      if (text[at] !== '"') fail('a name in quotes expected')
      const name = parseString()
      if (name === '__proto__') fail('the name __proto__ is refused')
      if (Object.hasOwn(members, name)) fail(`the name ${JSON.stringify(name.slice(0, 40))} stands twice`)
      skipSpace()
      if (text[at] !== ':') fail('":" expected')
      at++
      skipSpace()
      const from = at
      members[name] = parseValue(depth)
      if (name === 'id' && depth <= 2) rawIds.set(members, text.slice(from, at))
      skipSpace()
      const next = text[at]
      if (next !== ',' && next !== '}') fail('"," or "}" expected')
      at++
      if (next === '}') return members
    }
  }
  const parseValue = (depth: number): Json => {
    skipSpace()
    switch (text[at]) {
      case '{':
      case '[':
        if (depth >= depthMax) fail(`more than ${depthMax} levels`)
        return text[at] === '{' ? parseObject(depth + 1) : parseArray(depth + 1)
      case '"':
        return parseString()
      case 't':
        return parseWord('true', true)
      case 'f':
        return parseWord('false', false)
      case 'n':
        return parseWord('null', null)
      case undefined:
        return fail('the end of the text')
      default:
        return parseNumber()
    }
  }

  const value = parseValue(0)
  skipSpace()
  if (at !== text.length) fail('something after the end of the JSON')
  return { value, rawIds }
}

/** The quote at `index` has an odd number of backslashes before it. */
function isEscaped(text: string, index: number): boolean {
  let from = index
  while (text[from - 1] === '\\') from--
  return (index - from) % 2 === 1
}
