// What happens to the files of a node that does not run: bytes flipped, files gone, tails cut.
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Random } from '../durability/random.ts'

/** A byte of every so many, where all of the store is damaged. */
const strideBytes = 512

function filesIn(folder: string, pattern: RegExp): readonly string[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name) && statSync(path.join(folder, name)).size > 0)
    .sort()
    .map((name) => path.join(folder, name))
}

function flip(file: string, offsets: readonly number[]): void {
  const bytes = readFileSync(file)
  for (const offset of offsets) bytes[offset] = (bytes[offset] as number) ^ 0x55
  writeFileSync(file, bytes)
}

const tables = /^\d+\.(?:ldb|log)$/

/** Every part of every table and journal of the store. What was done, in words. */
export function damageWholeStore(data: string, random: Random): string {
  const files = filesIn(path.join(data, 'store'), tables)
  for (const file of files) flip(file, Array.from({ length: Math.ceil(statSync(file).size / strideBytes) }, (_, i) => Math.min(statSync(file).size - 1, i * strideBytes + random.below(strideBytes))))
  return `a byte of every ${strideBytes} in ${files.length} files of the store`
}

/** A few bytes of one of them. */
export function damageStoreBytes(data: string, random: Random): string {
  const file = random.pick(filesIn(path.join(data, 'store'), tables))
  const offsets = Array.from({ length: random.between(1, 4) }, () => random.below(statSync(file).size))
  flip(file, offsets)
  return `${offsets.length === 1 ? 'byte' : 'bytes'} ${offsets.join(', ')} of ${path.basename(file)}, which has ${statSync(file).size}`
}

export function deleteCurrent(data: string): string {
  rmSync(path.join(data, 'store', 'CURRENT'))
  return 'CURRENT of the store is gone'
}

function lastSegment(data: string): string {
  return filesIn(path.join(data, 'votes'), /^\d{8}\.votes$/).at(-1) as string
}

/** The last bytes, as a crash in the middle of a write leaves it. */
export function tearVotes(data: string, random: Random): string {
  const file = lastSegment(data)
  const cutBytes = random.between(1, 16)
  truncateSync(file, statSync(file).size - cutBytes)
  return `the last ${cutBytes} bytes of ${path.basename(file)} are gone`
}

/** A byte in the first half: what was acknowledged by more votes after it. */
export function damageVotes(data: string, random: Random): string {
  const file = lastSegment(data)
  const offset = random.below(Math.floor(statSync(file).size / 2))
  flip(file, [offset])
  return `byte ${offset} of ${path.basename(file)}, which has ${statSync(file).size}`
}

/** The folder itself stays: it may be a mount. */
export function emptyFolder(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true, force: true })
}
