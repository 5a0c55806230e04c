// A liar that says too much: frames over the bound of their channel, and messages within it whose lists are longer than any schema allows, or only claim to be.
import { channelLimits } from '../../../node/limits.ts'
import type { Channel } from '../../../node/world.ts'
import { plainDecode, plainEncode, type Tree } from '../../support/plain-messagepack.ts'
import type { Random } from '../random.ts'

/** What a list may grow to here; larger ones would test nothing else, and cost time. */
const grownBytesMax = 300_000
const lengths = [65, 129, 4_001] as const
const depth = 20_000

export interface Overgrown {
  readonly channel: Channel
  readonly bytes: Uint8Array
}

/** From a message that was heard. */
export function overgrow(random: Random, heard: Uint8Array): Overgrown {
  const channel = random.pick(['consensus', 'consensus', 'gossip'] as const)
  switch (random.below(4)) {
    case 0:
      return { channel, bytes: new Uint8Array(channelLimits[channel].messageBytesMax + 1).fill(0x90) }
    case 1:
      // a list of 2^32 - 1 items, of which none follows
      return { channel, bytes: Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff) }
    case 2:
      return { channel, bytes: new Uint8Array(depth).fill(0x91) }
    default: {
      const tree = plainDecode(heard)
      return { channel: 'consensus', bytes: tree === undefined ? Uint8Array.of(0xc1) : plainEncode(withLongList(random, tree)) }
    }
  }
}

/** One of its lists, repeated. */
function withLongList(random: Random, tree: Tree): Tree {
  const lists: (readonly Tree[])[] = []
  const collect = (at: Tree): void => {
    if (!Array.isArray(at)) return
    const items = at as readonly Tree[]
    if (items.length > 0) lists.push(items)
    items.forEach(collect)
  }
  collect(tree)
  if (lists.length === 0) return [tree]
  const chosen = random.pick(lists)
  const itemBytes = plainEncode(chosen).length / chosen.length
  const length = Math.min(random.pick(lengths), Math.ceil(grownBytesMax / itemBytes))
  const long = Array.from({ length }, (_, i) => chosen[i % chosen.length] as Tree)
  const replace = (at: Tree): Tree => (at === chosen ? long : Array.isArray(at) ? (at as readonly Tree[]).map(replace) : at)
  return replace(tree)
}
