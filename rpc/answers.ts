// Answers of queries, kept as text while the head stays: a query is a function of its parameters and the state of one height, so asked again there it has the same answer, and
// everybody asks for the same programmes and the same map. Only the reading is saved: rates are taken, calls counted and ids given back as ever.
import type { Height } from '../primitives/brand.ts'
import { answerKeptCharactersMax, answersCharactersMax } from './limits.ts'

export interface Answers {
  /** The text that `make` gave under this key at the height that answers are of now, or what it gives. What it throws is thrown and not kept. */
  readonly text: (key: string, make: () => Promise<Answered>) => Promise<string>
}

export interface Answered {
  /** Of the state that was read. */
  readonly height: Height
  readonly text: string
}

export function createAnswers(headHeight: () => Height): Answers {
  let height = 0
  // two generations, each of at most half the characters: when the young one is full it becomes the old one, and what is asked for again comes back
  let young = new Map<string, string>()
  let old = new Map<string, string>()
  let characters = 0

  // upwards only: a query may see a block just before the head tells of it, and nobody shall see an older one after that
  const moveTo = (seen: Height): void => {
    if (seen <= height) return
    height = seen
    young = new Map()
    old = new Map()
    characters = 0
  }
  const keep = (key: string, text: string): void => {
    const more = key.length + text.length
    if (more > answerKeptCharactersMax) return
    if (characters + more > answersCharactersMax / 2) {
      old = young
      young = new Map()
      characters = 0
    }
    young.set(key, text)
    characters += more
  }

  return {
    text: async (key, make) => {
      moveTo(headHeight())
      const known = young.get(key)
      if (known !== undefined) return known
      const aged = old.get(key)
      if (aged !== undefined) {
        keep(key, aged)
        return aged
      }
      const { height: of, text } = await make()
      moveTo(of)
      if (of === height) keep(key, text)
      return text
    },
  }
}
