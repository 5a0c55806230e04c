// Files that survive a power cut: a new content is written beside the old, synced, renamed over it, and the folder is synced.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { DongbaekError } from '../primitives/errors.ts'

export function codeOfSystem(error: unknown): string {
  return (error as { readonly code?: string } | null)?.code ?? 'unknown'
}

export function isMissing(error: unknown): boolean {
  return codeOfSystem(error) === 'ENOENT'
}

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Either the old content or the new is there, whatever happens. Throws `file/write`. */
export function writeFileAtomically(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = `${path}.tmp`
  try {
    rmSync(temporary, { force: true })
    const handle = openSync(temporary, 'wx', mode)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(temporary, path)
    syncFolder(dirname(path))
  } catch (cause) {
    throw new DongbaekError('file/write', `cannot write ${path} (${codeOfSystem(cause)}). Check the disk's space and the folder's permissions`, { path }, { cause })
  }
}
