// The keystore: one Ed25519 seed in a JSON file, sealed by a passphrase: scrypt (RFC 7914) gives the key, AES-256-GCM seals. The public key
// and the label stand in clear and are bound to the sealed part, so neither can be swapped. The file is for its owner's eyes only, and a
// file that others may read is refused: by then the question is who has read it, and that is for the operator to answer.
import { createCipheriv, createDecipheriv, randomBytes, scrypt, type ScryptOptions } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { concatBytes, equalBytes, toBase64url, utf8 } from '../primitives/bytes.ts'
import { keyPairFromSeed, publicKeyBytes, seedBytes } from '../primitives/ed25519.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { domain } from '../primitives/hash.ts'
import { bytes, integer, oneOf, record, text, type Json } from '../primitives/schema.ts'
import { codeOfSystem, isMissing, writeFileAtomically } from './files.ts'
import { keystoreBytesMax, passphraseBytesMax, passphraseCharactersMin } from './limits.ts'

const deriveKey = promisify<string | Uint8Array, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

/** 128 MiB and about half a second for each guess. */
const logN = 17
/** For a passphrase that is random itself, and needs no stretching: 16 MiB and an eighth of the time. */
const logNOfRandom = 14
/** 22 characters of base64url are 132 bits. */
const randomCharactersMin = 22
const blockSize = 8
const parallel = 1
/** A file that asks for more is refused before it takes the memory: 2^20 · 8 · 128 bytes are 1 GiB. */
const logNMax = 20
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16

const fileSchema = record({
  format: oneOf('dongbaek-keystore'),
  version: integer(1, 1),
  label: text(1, 100),
  publicKey: bytes(publicKeyBytes, publicKeyBytes),
  kdf: record({ name: oneOf('scrypt'), logN: integer(logNOfRandom, logNMax), r: integer(8, 8), p: integer(1, 4), salt: bytes(saltBytes, 64) }),
  cipher: record({ name: oneOf('aes-256-gcm'), nonce: bytes(nonceBytes, nonceBytes), sealed: bytes(seedBytes + tagBytes, seedBytes + tagBytes) }),
})
type KeystoreFile = ReturnType<typeof fileSchema.fromJson>

export interface KeystoreInfo {
  readonly label: string
  readonly publicKey: Uint8Array
}

export interface OpenedKeystore extends KeystoreInfo {
  /** Keep it in memory only. */
  readonly seed: Uint8Array
}

export interface NewKeystore {
  readonly label: string
  readonly passphrase: string
  /** A fresh one unless given. */
  readonly seed?: Uint8Array
  /** The passphrase was drawn at random by a program, of 128 bits at least: guesses are hopeless however quick they are. Never said of what a person chose. */
  readonly passphraseIsRandom?: boolean
}

/** Writes a new file. Throws `keystore/exists`, `keystore/passphrase-weak`, `file/write`. */
export async function createKeystore(path: string, options: NewKeystore): Promise<KeystoreInfo> {
  if (existsSync(path)) throw new DongbaekError('keystore/exists', `${path} exists already. A key is never overwritten: choose another name, or move the old file away`, { path })
  const seed = options.seed ?? new Uint8Array(randomBytes(seedBytes))
  const info = { label: options.label, publicKey: keyPairFromSeed(seed).publicKey }
  const file = await seal(info, seed, options.passphrase, options.passphraseIsRandom)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeKeystore(path, file)
  return info
}

/** What stands in clear. Throws as openKeystore does, but for the passphrase. */
export function readKeystoreInfo(path: string): KeystoreInfo {
  const { label, publicKey } = readKeystore(path)
  return { label, publicKey }
}

/** Throws `keystore/missing`, `keystore/permissions`, `keystore/malformed`, `keystore/passphrase-wrong`. */
export async function openKeystore(path: string, passphrase: string): Promise<OpenedKeystore> {
  const file = readKeystore(path)
  const { kdf, cipher, label, publicKey } = file
  const key = await stretch(passphrase, kdf)
  const decipher = createDecipheriv('aes-256-gcm', key, cipher.nonce, { authTagLength: tagBytes })
  decipher.setAAD(boundPart(file))
  decipher.setAuthTag(cipher.sealed.subarray(seedBytes))
  let seed: Uint8Array
  try {
    seed = new Uint8Array(Buffer.concat([decipher.update(cipher.sealed.subarray(0, seedBytes)), decipher.final()]))
  } catch (cause) {
    throw new DongbaekError('keystore/passphrase-wrong', `the passphrase does not open ${path}, or the file was changed. Check the passphrase, then restore the file from its backup`, { path }, { cause })
  }
  if (!equalBytes(keyPairFromSeed(seed).publicKey, publicKey)) throw malformed(path, 'its public key is not that of its seed')
  return { label, publicKey, seed }
}

/** Seals anew; the old file stands until the new one is on the disk. Throws as openKeystore and createKeystore do. */
export async function changePassphrase(path: string, oldPassphrase: string, newPassphrase: string): Promise<void> {
  const { seed, ...info } = await openKeystore(path, oldPassphrase)
  writeKeystore(path, await seal(info, seed, newPassphrase))
}

/**
 * The passphrase: the environment variable DONGBAEK_PASSPHRASE if set (and taken out of the environment, so that no child inherits it), else the
 * first line of the file. Throws `keystore/no-passphrase`, `keystore/permissions`.
 */
export function readPassphrase(file: string | undefined, environment: NodeJS.ProcessEnv = process.env): string {
  const { DONGBAEK_PASSPHRASE: fromEnvironment } = environment
  if (fromEnvironment !== undefined) {
    delete environment['DONGBAEK_PASSPHRASE']
    return fromEnvironment
  }
  if (file === undefined) throw new DongbaekError('keystore/no-passphrase', 'no passphrase: name a file (passphraseFile, --passphrase-file) or set DONGBAEK_PASSPHRASE')
  const line = readPrivately(file, passphraseBytesMax, 'passphrase file').toString('utf8').split(/\r?\n/)[0] ?? ''
  if (line === '') throw new DongbaekError('keystore/no-passphrase', `the first line of ${file} is empty; the passphrase belongs there`, { file })
  return line
}

function readKeystore(path: string): KeystoreFile {
  const content = readPrivately(path, keystoreBytesMax, 'keystore')
  try {
    return fileSchema.fromJson(JSON.parse(content.toString('utf8')) as Json, '')
  } catch (cause) {
    throw malformed(path, cause instanceof DongbaekError ? cause.message : 'it is no JSON', cause)
  }
}

function readPrivately(path: string, bytesMax: number, what: string): Buffer {
  try {
    const stat = statSync(path)
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0')
      throw new DongbaekError('keystore/permissions', `the ${what} ${path} can be used by others (mode ${mode}). If nobody has read it: chmod 600 ${path}; else replace the key`, { path, mode })
    }
    if (stat.size > bytesMax) throw malformed(path, `it has ${stat.size} bytes`)
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof DongbaekError) throw cause
    if (isMissing(cause)) throw new DongbaekError('keystore/missing', `there is no ${what} ${path}. Make a key by dongbaek keys, or correct the path in the configuration`, { path }, { cause })
    throw new DongbaekError('keystore/permissions', `the ${what} ${path} cannot be read (${codeOfSystem(cause)}). It must belong to the user that runs the node`, { path }, { cause })
  }
}

async function seal(info: KeystoreInfo, seed: Uint8Array, passphrase: string, isRandom = false): Promise<KeystoreFile> {
  const charactersMin = isRandom ? randomCharactersMin : passphraseCharactersMin
  if (passphrase.length < charactersMin) throw new DongbaekError('keystore/passphrase-weak', `a ${isRandom ? 'random ' : ''}passphrase has at least ${charactersMin} characters`)
  const kdf = { name: 'scrypt', logN: isRandom ? logNOfRandom : logN, r: blockSize, p: parallel, salt: new Uint8Array(randomBytes(saltBytes)) } as const
  const nonce = new Uint8Array(randomBytes(nonceBytes))
  const open: Omit<KeystoreFile, 'cipher'> = { format: 'dongbaek-keystore', version: 1, label: info.label, publicKey: info.publicKey, kdf }
  const cipher = createCipheriv('aes-256-gcm', await stretch(passphrase, kdf), nonce, { authTagLength: tagBytes })
  cipher.setAAD(boundPart(open))
  const body = Buffer.concat([cipher.update(seed), cipher.final()])
  return { ...open, cipher: { name: 'aes-256-gcm', nonce, sealed: concatBytes(body, cipher.getAuthTag()) } }
}

function boundPart(file: Omit<KeystoreFile, 'cipher'>): Uint8Array {
  return concatBytes(domain('keystore'), utf8(JSON.stringify([file.version, file.label, toBase64url(file.publicKey)])))
}

function stretch(passphrase: string, kdf: KeystoreFile['kdf']): Promise<Buffer> {
  const { r, p } = kdf
  const N = 2 ** kdf.logN
  // typed on two keyboards, one text can have two encodings
  return deriveKey(passphrase.normalize('NFKC'), kdf.salt, 32, { N, r, p, maxmem: 128 * N * r + 1_048_576 * p })
}

function writeKeystore(path: string, file: KeystoreFile): void {
  writeFileAtomically(path, utf8(`${JSON.stringify(fileSchema.toJson(file), undefined, 2)}\n`), 0o600)
}

function malformed(path: string, what: string, cause?: unknown): DongbaekError {
  return new DongbaekError('keystore/malformed', `${path} is not a keystore of this version: ${what}. Restore it from its backup`, { path }, { cause })
}
