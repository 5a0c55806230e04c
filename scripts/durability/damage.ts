// Damage to files, drawn from a seed: which file, and what is done to it.
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Material } from './material.ts'
import type { Random } from './random.ts'

export const kinds = ['table', 'level log', 'MANIFEST', 'CURRENT', 'LOCK', 'store marker', 'vote segment', 'votes marker', 'keystore', 'genesis', 'config', 'passphrase'] as const
export type Kind = (typeof kinds)[number]
export const deeds = ['flip', 'truncate', 'delete', 'older', 'swap'] as const
export type Deed = (typeof deeds)[number]

/** Cases of a kind among those of one round: kinds with more to go wrong, and cheaper ones, come more often. */
const weights: Readonly<Record<Kind, number>> = { table: 20, 'level log': 16, MANIFEST: 10, CURRENT: 6, LOCK: 3, 'store marker': 6, 'vote segment': 18, 'votes marker': 4, keystore: 4, genesis: 5, config: 5, passphrase: 3 }
const round = kinds.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind))

export interface Case {
  readonly number: number
  readonly kind: Kind
  readonly deed: Deed
  /** Relative to the network's folder. */
  readonly file: string
  /** What was done, in words. */
  readonly what: string
}

interface Place {
  readonly folder: string
  readonly matches: RegExp
}

function placeOf(kind: Kind, { victim, network }: Material): Place {
  const own = path.relative(network.folder, victim.folder)
  switch (kind) {
    case 'table':
      return { folder: path.join(own, 'data/store'), matches: /^\d+\.ldb$/ }
    case 'level log':
      return { folder: path.join(own, 'data/store'), matches: /^\d+\.log$/ }
    case 'MANIFEST':
      return { folder: path.join(own, 'data/store'), matches: /^MANIFEST-\d+$/ }
    case 'CURRENT':
      return { folder: path.join(own, 'data/store'), matches: /^CURRENT$/ }
    case 'LOCK':
      return { folder: path.join(own, 'data/store'), matches: /^LOCK$/ }
    case 'store marker':
      return { folder: path.join(own, 'data'), matches: /^store\.json$/ }
    case 'vote segment':
      return { folder: path.join(own, 'data/votes'), matches: /^\d+\.votes$/ }
    case 'votes marker':
      return { folder: path.join(own, 'data/votes'), matches: /^votes\.json$/ }
    case 'keystore':
      return { folder: own, matches: /^keystore\.json$/ }
    case 'config':
      return { folder: own, matches: /^config\.json$/ }
    case 'genesis':
      return { folder: '.', matches: /^genesis\.json$/ }
    case 'passphrase':
      return { folder: '.', matches: /^passphrase$/ }
  }
}

function filesOf(root: string, { folder, matches }: Place): readonly string[] {
  const whole = path.join(root, folder)
  return existsSync(whole)
    ? readdirSync(whole)
        .filter((name) => matches.test(name))
        .sort()
        .map((name) => path.join(folder, name))
    : []
}

/** Puts the victim's files and the shared ones back as they were after the last life. */
export function restore({ network, victim, generations }: Material): void {
  const newest = generations.at(-1) as string
  const own = path.relative(network.folder, victim.folder)
  rmSync(victim.folder, { recursive: true, force: true })
  cpSync(path.join(newest, own), victim.folder, { recursive: true })
  for (const file of ['genesis.json', 'passphrase']) copyFileSync(path.join(newest, file), path.join(network.folder, file))
}


/** Damages one file of the victim in the network's folder; undefined when the draw fits no file. */
export function damage(material: Material, number: number, random: Random): Case {
  const { network, victim, other, generations } = material
  for (;;) {
    const kind = random.pick(round)
    const deed = random.pick(deeds)
    const place = placeOf(kind, material)
    const file = random.pick(filesOf(network.folder, place))
    const target = path.join(network.folder, file)
    const made = { number, kind, deed, file }
    switch (deed) {
      case 'flip': {
        const bytes = readFileSync(target)
        if (bytes.length === 0) continue
        return { ...made, what: flip(target, bytes, random) }
      }
      case 'truncate': {
        const { length } = readFileSync(target)
        if (length === 0) continue
        const to = random.below(length)
        truncateSync(target, to)
        return { ...made, what: `cut from ${length} to ${to} bytes` }
      }
      case 'delete':
        rmSync(target)
        return { ...made, what: 'deleted' }
      case 'older': {
        const generation = random.below(generations.length - 1)
        const source = random.pick(filesOf(generations[generation] as string, place))
        if (source === undefined) continue
        copyFileSync(path.join(generations[generation] as string, source), target)
        return { ...made, what: `replaced by ${path.basename(source)} as it was after life ${generation + 1} of ${generations.length}` }
      }
      case 'swap': {
        const theirs = { folder: place.folder.replace(path.relative(network.folder, victim.folder), path.relative(network.folder, other.folder)), matches: place.matches }
        const source = random.pick(filesOf(generations.at(-1) as string, theirs))
        if (source === undefined || theirs.folder === place.folder) continue
        copyFileSync(path.join(generations.at(-1) as string, source), target)
        return { ...made, what: `replaced by ${path.basename(source)} of ${other.name}` }
      }
    }
  }
}

function flip(target: string, bytes: Buffer, random: Random): string {
  const count = random.between(1, 4)
  const places: number[] = []
  for (let i = 0; i < count; i++) {
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
    places.push(at)
  }
  writeFileSync(target, bytes)
  return `a bit flipped at byte ${places.join(', ')} of ${bytes.length}`
}
