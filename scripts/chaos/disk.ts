// A disk that fills up: a small file system in memory over a node's data folder. Mounting takes root.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import path from 'node:path'

const roomyBytes = 512 * 1_048_576

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (error !== undefined) throw new Error(`${command}: ${error.message}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`)
}

/** Undefined when it can; tries it out in `folder`. */
export function whyNoFullDisk(folder: string): string | undefined {
  if (process.platform !== 'linux') return `it takes Linux, and this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'mounting takes root'
  const trial = path.join(folder, 'trial')
  mkdirSync(trial, { recursive: true })
  try {
    run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', trial)
    run('umount', trial)
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    rmSync(trial, { recursive: true, force: true })
  }
}

export function isMounted(folder: string): boolean {
  return mountsUnder(folder).includes(folder)
}

/** Puts the folder on a file system of its own, with what is in it. Nothing may have it open. */
export function moveToOwnDisk(folder: string): void {
  const aside = `${folder}.aside`
  cpSync(folder, aside, { recursive: true })
  run('mount', '-t', 'tmpfs', '-o', `size=${roomyBytes},mode=700`, 'tmpfs', folder)
  cpSync(aside, folder, { recursive: true })
  rmSync(aside, { recursive: true })
}

/** Takes all room but so much. */
export function fill(folder: string, leftBytes: number): void {
  const { blocks, bfree, bsize } = statfsSync(folder)
  run('mount', '-o', `remount,size=${(blocks - bfree) * bsize + leftBytes}`, folder)
}

export function makeRoom(folder: string): void {
  run('mount', '-o', `remount,size=${roomyBytes}`, folder)
}

/** Synchronous, since it is also the last thing that a process does. */
export function unmountUnder(folder: string): void {
  for (const mount of mountsUnder(folder)) spawnSync('umount', ['--lazy', mount])
}

function mountsUnder(folder: string): readonly string[] {
  if (process.platform !== 'linux') return []
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((mount) => mount === folder || mount.startsWith(`${folder}/`))
}
