// The node's configuration: config.json, DONGBAEK_… variables and flags, the later over the earlier. One table says of every key what it is
// called in each of the three, what it takes and what it is by default; the command line and the documentation are made from the same table.
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DongbaekError } from '../primitives/errors.ts'
import { addressMap, apiKeyList, count, folderOrFile, host, level, loopback, name, observerList, originList, port, role, type Kind } from './config-kinds.ts'
import type { LogLevel } from '../rpc/api/admin.ts'
import type { ApiKey } from '../rpc/rates.ts'
import { codeOfSystem } from './files.ts'
import { configBytesMax, proxiesMax } from './limits.ts'
import { defaultWorkers } from './verifier.ts'
import type { Peer } from './world.ts'

export interface Config {
  /** Of this node, as in genesis for a validator. */
  readonly name: string
  readonly role: 'validator' | 'observer'
  /** Absolute, as all paths here. */
  readonly dataDir: string
  readonly genesis: string
  readonly keystore: string
  readonly passphraseFile: string | undefined
  readonly p2p: {
    readonly host: string
    readonly port: number
    /** `host:port` by the name of a peer, over what genesis says. */
    readonly addresses: Readonly<Record<string, string>>
    /** Known peers beside the validators of genesis. */
    readonly observers: readonly Peer[]
  }
  readonly rpc: {
    readonly host: string
    readonly port: number
    /** Whose pages may call from a browser. */
    readonly origins: readonly string[]
    /** How many proxies of one's own stand in a row before the RPC. */
    readonly proxies: number
    /** An observer that is further behind is not ready. */
    readonly staleMs: number
    /** Issued to callers who may ask more. */
    readonly keys: readonly ApiKey[]
  }
  /** Without a port there is none. */
  readonly admin: { readonly host: string; readonly port: number | undefined }
  readonly log: { readonly level: LogLevel }
  readonly limits: { readonly verifyWorkers: number; readonly stateCacheMiB: number; readonly rpcRequestsPerSecond: number; readonly senderTransactionsPerSecond: number; readonly snapshotBlocks: number; readonly keepBlocks: number }
}

interface Key<T> {
  readonly kind: Kind<T>
  readonly what: string
  /** Left out: the key must be given. */
  readonly byDefault?: T
}

const key = <T>(kind: Kind<T>, what: string, ...byDefault: readonly T[]): Key<T> => (byDefault.length === 0 ? { kind, what } : { kind, what, byDefault: byDefault[0] as T })

const keys = {
  name: key(name, 'name of this node, as in genesis for a validator'),
  role: key(role, 'validator (votes) or observer (follows and serves)', 'observer'),
  dataDir: key(folderOrFile, 'folder of the database and the vote log'),
  genesis: key(folderOrFile, 'the genesis file'),
  keystore: key(folderOrFile, 'the keystore file of this node'),
  passphraseFile: key<string | undefined>(folderOrFile, 'file with the passphrase of the keystore, instead of DONGBAEK_PASSPHRASE', undefined),
  'p2p.host': key(host, 'address to listen at for other nodes', '0.0.0.0'),
  'p2p.port': key(port, 'port to listen at for other nodes', 26_400),
  'p2p.addresses': key(addressMap, 'where peers are reached, over what genesis says: name=host:port, …', {}),
  'p2p.observers': key(observerList, 'known peers beside the validators: name=publicKey or name=publicKey@host:port, …', []),
  'rpc.host': key(host, 'address to serve JSON-RPC at', '127.0.0.1'),
  'rpc.port': key(port, 'port to serve JSON-RPC at', 26_600),
  'rpc.origins': key(originList, 'origins whose pages may call JSON-RPC from a browser', []),
  'rpc.proxies': key(count(0, proxiesMax), 'proxies of your own, one behind the other, before the RPC: the caller is then who X-Forwarded-For names that many places from its end', 0),
  'rpc.staleMs': key(count(1_000, 86_400_000), 'an observer whose state may be older than this, in ms, answers 503 at /readyz', 10_000),
  'rpc.keys': key(apiKeyList, 'keys of callers with a rate of their own, as dongbaek keys api makes them: name=hash@callsPerSecond, …', []),
  'admin.host': key(loopback, 'loopback address of the administration', '127.0.0.1'),
  'admin.port': key<number | undefined>(port, 'port of the administration (log level, snapshot, stop); left out, there is none', undefined),
  'log.level': key(level, 'least level that is logged', 'info'),
  'limits.verifyWorkers': key(count(0, 64), 'threads that check signatures, 0 for none; left out, one less than there are cores and at most 4', defaultWorkers()),
  'limits.stateCacheMiB': key(count(16, 65_536), 'memory for the hot state', 128),
  'limits.rpcRequestsPerSecond': key(count(1, 1_000_000), 'JSON-RPC requests a second of one client address', 200),
  'limits.senderTransactionsPerSecond': key(count(1, 1_000_000), 'transactions a second that this node takes in from its clients for one sender; ten times as many at once', 100),
  'limits.snapshotBlocks': key(count(0, 1_000_000_000), 'blocks from one snapshot for joining nodes to the next, and how far behind a node must be to join by one; 0: neither', 10_000),
  'limits.keepBlocks': key(count(0, 1_000_000_000), 'blocks to keep; lower ones leave once no transaction of theirs could run again. 0: all', 0),
} as const
type KeyName = keyof typeof keys
type Values = { [K in KeyName]: (typeof keys)[K] extends Key<infer T> ? T : never }

/** Variables of ours that are no key of the configuration. */
export const otherVariables: readonly string[] = ['DONGBAEK_CONFIG', 'DONGBAEK_PASSPHRASE']

export interface ConfigKey {
  readonly name: string
  readonly flag: string
  readonly variable: string
  readonly what: string
  readonly expected: string
  readonly byDefault: unknown
}

const words = (keyName: string): string[] => keyName.replace('MiB', 'Mib').replace(/([a-z0-9])([A-Z])/g, '$1.$2').toLowerCase().split('.')

/** Every key, for the command line's options and the documentation. */
export const configKeys: readonly ConfigKey[] = (Object.keys(keys) as KeyName[]).map((keyName) => ({
  name: keyName,
  flag: `--${words(keyName).join('-')}`,
  variable: `DONGBAEK_${words(keyName).join('_').toUpperCase()}`,
  what: keys[keyName].what,
  expected: keys[keyName].kind.expected,
  byDefault: (keys[keyName] as Key<unknown>).byDefault,
}))

export interface ConfigSources {
  /** Paths in it are relative to its folder. */
  readonly file?: string
  /** By key name or by flag, as text; paths are relative to the working folder, as in the environment. */
  readonly flags?: Readonly<Record<string, string | undefined>>
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly workingFolder?: string
}

/**
 * Throws `config/missing-file`, `config/malformed`, `config/unknown-key`, `config/invalid`, `config/required`; the sentence names the key, where it was
 * read, what is expected, and for an unknown key the nearest known one.
 */
export function loadConfig(sources: ConfigSources): Config {
  const workingFolder = sources.workingFolder ?? process.cwd()
  const given = new Map<KeyName, unknown>()
  if (sources.file !== undefined) readJson(resolve(workingFolder, sources.file), given)
  readTexts(environmentTexts(sources.environment ?? {}), workingFolder, given)
  readTexts(flagTexts(sources.flags ?? {}), workingFolder, given)
  const get = <K extends KeyName>(keyName: K): Values[K] => {
    if (given.has(keyName)) return given.get(keyName) as Values[K]
    const known: Key<unknown> = keys[keyName]
    if ('byDefault' in known) return known.byDefault as Values[K]
    const { flag, variable } = configKeys.find((candidate) => candidate.name === keyName) as ConfigKey
    throw new DongbaekError('config/required', `${keyName} is missing (${known.what}): set it in config.json, as ${flag} or as ${variable}`, { key: keyName })
  }
  return {
    name: get('name'),
    role: get('role'),
    dataDir: get('dataDir'),
    genesis: get('genesis'),
    keystore: get('keystore'),
    passphraseFile: get('passphraseFile'),
    p2p: { host: get('p2p.host'), port: get('p2p.port'), addresses: get('p2p.addresses'), observers: get('p2p.observers') },
    rpc: { host: get('rpc.host'), port: get('rpc.port'), origins: get('rpc.origins'), proxies: get('rpc.proxies'), staleMs: get('rpc.staleMs'), keys: get('rpc.keys') },
    admin: { host: get('admin.host'), port: get('admin.port') },
    log: { level: get('log.level') },
    limits: { verifyWorkers: get('limits.verifyWorkers'), stateCacheMiB: get('limits.stateCacheMiB'), rpcRequestsPerSecond: get('limits.rpcRequestsPerSecond'), senderTransactionsPerSecond: get('limits.senderTransactionsPerSecond'), snapshotBlocks: get('limits.snapshotBlocks'), keepBlocks: get('limits.keepBlocks') },
  }
}

function readJson(path: string, given: Map<KeyName, unknown>): void {
  const groups = new Set(Object.keys(keys).flatMap((keyName) => (keyName.includes('.') ? [keyName.split('.')[0] as string] : [])))
  const root = parseFile(path)
  const read = (object: Readonly<Record<string, unknown>>, prefix: string): void => {
    for (const [part, value] of Object.entries(object)) {
      const keyName = prefix + part
      if (prefix === '' && groups.has(part)) {
        if (!isObject(value)) throw invalid(keyName, path, 'an object', value)
        read(value, `${part}.`)
      } else {
        const { kind } = keyOf(keyName, path, Object.keys(keys).concat([...groups]))
        const parsed = kind.fromJson(value, dirname(path))
        if (parsed === undefined) throw invalid(keyName, path, kind.expected, value)
        given.set(keyName as KeyName, parsed.value)
      }
    }
  }
  read(root, '')
}

function parseFile(path: string): Readonly<Record<string, unknown>> {
  try {
    if (statSync(path).size > configBytesMax) throw new DongbaekError('config/malformed', `${path} is larger than ${configBytesMax} bytes`, { path })
    const root: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (!isObject(root)) throw new DongbaekError('config/malformed', `${path} holds no JSON object`, { path })
    return root
  } catch (cause) {
    if (cause instanceof DongbaekError) throw cause
    if (cause instanceof SyntaxError) throw new DongbaekError('config/malformed', `${path} is no JSON: ${cause.message}. Correct it`, { path }, { cause })
    throw new DongbaekError('config/missing-file', `cannot read ${path} (${codeOfSystem(cause)}). Make one by dongbaek init, or name another by --config`, { path }, { cause })
  }
}

interface Text {
  readonly keyName: string
  /** What the operator wrote: a flag or a variable. */
  readonly source: string
  readonly text: string
}

function environmentTexts(environment: Readonly<Record<string, string | undefined>>): Text[] {
  const texts: Text[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('DONGBAEK_') || text === undefined || otherVariables.includes(variable)) continue
    const known = configKeys.find((candidate) => candidate.variable === variable)
    if (known === undefined) throw unknown(variable, 'the environment', [...configKeys.map((candidate) => candidate.variable), ...otherVariables])
    texts.push({ keyName: known.name, source: variable, text })
  }
  return texts
}

function flagTexts(flags: Readonly<Record<string, string | undefined>>): Text[] {
  const texts: Text[] = []
  for (const [flag, text] of Object.entries(flags)) {
    if (text === undefined) continue
    const known = configKeys.find((candidate) => candidate.flag === flag || candidate.name === flag)
    if (known === undefined) throw unknown(flag, 'the command line', configKeys.map((candidate) => candidate.flag))
    texts.push({ keyName: known.name, source: known.flag, text })
  }
  return texts
}

function readTexts(texts: readonly Text[], folder: string, given: Map<KeyName, unknown>): void {
  for (const { keyName, source, text } of texts) {
    const { kind } = keys[keyName as KeyName] as Key<unknown>
    const parsed = kind.fromText(text, folder)
    if (parsed === undefined) throw invalid(keyName, source, kind.expected, text)
    given.set(keyName as KeyName, parsed.value)
  }
}

function keyOf(keyName: string, source: string, known: readonly string[]): Key<unknown> {
  if (!Object.hasOwn(keys, keyName)) throw unknown(keyName, source, known)
  return keys[keyName as KeyName] as Key<unknown>
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(keyName: string, source: string, expected: string, value: unknown): DongbaekError {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 80)
  return new DongbaekError('config/invalid', `${keyName} (${source}) is ${shown}; expected is ${expected}`, { key: keyName, source, expected })
}

function unknown(keyName: string, source: string, known: readonly string[]): DongbaekError {
  const nearest = [...known].sort((a, b) => distance(a, keyName) - distance(b, keyName))[0] ?? ''
  return new DongbaekError('config/unknown-key', `${keyName} (${source}) is no key of the configuration. Correct it: the nearest is ${nearest}`, { key: keyName, source, nearest })
}

/** Edits between two names, a swap of neighbours counting as one, without regard to case. */
function distance(left: string, right: string): number {
  const a = left.toLowerCase()
  const b = right.toLowerCase().slice(0, 100)
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] as number) + 1 : Infinity
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, changed, swapped))
    }
    before = row
    row = next
  }
  return row[b.length] as number
}
