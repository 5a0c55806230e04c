// That a key has never signed a vote: a file votes/unused.json, made together with the key and used up by the vote log's first segment. Without it a new validator
// is not to be told from one that lost its disk, and follows before it votes (recovery.ts); on a new network with a liar in it, nobody might get to vote then.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64url, utf8 } from '../primitives/bytes.ts'
import { isMissing, syncFolder, writeFileAtomically } from './files.ts'

const fileName = 'unused.json'

function contentOf(publicKey: Uint8Array): string {
  return `${JSON.stringify({ format: 'dongbaek-unused-key', version: 1, publicKey: toBase64url(publicKey) })}\n`
}

/** Only ever for a key that was made this moment. `folder` is where its vote log will be. Throws `file/write`. */
export function markUnused(folder: string, publicKey: Uint8Array): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileAtomically(join(folder, fileName), utf8(contentOf(publicKey)), 0o600)
}

export type KeyUse = 'unused' | 'unknown' | 'other-key'

/** What the file says of this key. `other-key`: it is another's, or cannot be read, and so says nothing. */
export function useOf(folder: string, publicKey: Uint8Array): KeyUse {
  try {
    return readFileSync(join(folder, fileName), 'utf8') === contentOf(publicKey) ? 'unused' : 'other-key'
  } catch (error) {
    if (isMissing(error)) return 'unknown'
    throw error
  }
}

/** Before the key signs anything. */
export function markUsed(folder: string): void {
  rmSync(join(folder, fileName), { force: true })
  syncFolder(folder)
}
