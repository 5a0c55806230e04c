// What the keys of the configuration take: each kind reads a value from JSON (the file) and from text (a flag or a variable).
import { isIPv4 } from 'node:net'
import { isAbsolute, resolve } from 'node:path'
import { fromBase64url } from '../primitives/bytes.ts'
import { publicKeyBytes } from '../primitives/ed25519.ts'
import { hashBytes } from '../primitives/hash.ts'
import { logLevels, type LogLevel } from '../rpc/api/admin.ts'
import { apiKeysMax } from '../rpc/limits.ts'
import type { ApiKey } from '../rpc/rates.ts'
import { originsMax, peersMax } from './limits.ts'
import type { Peer } from './world.ts'

/** Undefined from either: not of this kind. `folder` is what a relative path is relative to. */
export interface Kind<T> {
  readonly expected: string
  readonly fromJson: (value: unknown, folder: string) => { readonly value: T } | undefined
  readonly fromText: (text: string, folder: string) => { readonly value: T } | undefined
}

/** A kind that is a string in both. */
function textual<T>(expected: string, read: (text: string, folder: string) => { readonly value: T } | undefined): Kind<T> {
  return { expected, fromText: read, fromJson: (value, folder) => (typeof value === 'string' ? read(value, folder) : undefined) }
}

const namePattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const addressPattern = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/

const isName = (text: string): boolean => text.length <= 64 && namePattern.test(text)
const isAddress = (text: string): boolean => {
  const digits = addressPattern.exec(text)?.[1]
  return text.length <= 300 && digits !== undefined && Number(digits) > 0 && Number(digits) <= 65_535
}

export const name: Kind<string> = textual('lower-case letters and digits joined by hyphens, at most 64', (text) => (isName(text) ? { value: text } : undefined))

export const folderOrFile: Kind<string> = textual('a path', (text, folder) =>
  text === '' || text.includes('\0') ? undefined : { value: isAbsolute(text) ? resolve(text) : resolve(folder, text) },
)

export const host: Kind<string> = textual('an IP address or a host name', (text) => (/^[A-Za-z0-9.:_-]{1,255}$/.test(text) ? { value: text } : undefined))

/** Administration has no password: what other machines can reach must never be bound. */
export const loopback: Kind<string> = textual('a loopback address, 127.0.0.1 or ::1: administration has no password and is for this machine alone. From another one go through ssh', (text) =>
  text === '::1' || (isIPv4(text) && text.startsWith('127.')) ? { value: text } : undefined,
)

export const role: Kind<'validator' | 'observer'> = textual('validator or observer', (text) => (text === 'validator' || text === 'observer' ? { value: text } : undefined))

export const level: Kind<LogLevel> = textual(`one of ${logLevels.join(', ')}`, (text) => {
  const value = logLevels.find((known) => known === text)
  return value === undefined ? undefined : { value }
})

export function count(min: number, max: number): Kind<number> {
  const check = (value: unknown): { readonly value: number } | undefined =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? { value } : undefined
  return { expected: `a whole number from ${min} to ${max}`, fromJson: check, fromText: (text) => (/^\d{1,10}$/.test(text) ? check(Number(text)) : undefined) }
}

/** 0 stands for any free port. */
export const port: Kind<number> = count(0, 65_535)

/** A page's origin as browsers send it: RFC 6454 section 6.2, without a port that the scheme implies. */
const originPattern = /^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[1-9]\d{0,4})?$/

const isOrigin = (text: string): boolean =>
  text === '*' || (text.length <= 300 && originPattern.test(text) && (!/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text)))

export const originList: Kind<readonly string[]> = {
  expected: `origins such as https://app.example (scheme, host and a port that is not the usual one; no path), at most ${originsMax}, or * for all (in text: separated by commas)`,
  fromJson: (value) => (Array.isArray(value) && value.length <= originsMax && value.every((item): item is string => typeof item === 'string' && isOrigin(item)) ? { value } : undefined),
  fromText: (text, folder) => originList.fromJson(items(text), folder),
}

export const addressMap: Kind<Readonly<Record<string, string>>> = {
  expected: 'names of peers with host:port each (in text: name=host:port, name=host:port)',
  fromJson(value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const entries = Object.entries(value as Readonly<Record<string, unknown>>)
    const good = entries.length <= peersMax && entries.every(([peer, address]) => isName(peer) && typeof address === 'string' && isAddress(address))
    return good ? { value: Object.fromEntries(entries) as Record<string, string> } : undefined
  },
  fromText(text, folder) {
    const pairs = items(text).map((item) => item.split('='))
    if (pairs.some((pair) => pair.length !== 2) || new Set(pairs.map(([peer]) => peer)).size !== pairs.length) return undefined
    return addressMap.fromJson(Object.fromEntries(pairs), folder)
  },
}

export const observerList: Kind<readonly Peer[]> = {
  expected: 'peers with name, publicKey (32 bytes in base64url) and addresses (in text: name=publicKey@host:port, the address may be left out)',
  fromJson(value) {
    if (!Array.isArray(value) || value.length > peersMax) return undefined
    const peers: Peer[] = []
    for (const item of value as readonly unknown[]) {
      const peer = peerFrom(item)
      if (peer === undefined) return undefined
      peers.push(peer)
    }
    return { value: peers }
  },
  fromText(text, folder) {
    const parsed = items(text).map((item) => {
      const [, peer, publicKey, address] = /^([^=]+)=([A-Za-z0-9_-]+)(?:@(.+))?$/.exec(item) ?? []
      return { name: peer, publicKey, addresses: address === undefined ? [] : [address] }
    })
    return observerList.fromJson(parsed, folder)
  },
}

function peerFrom(item: unknown): Peer | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { name: peer, publicKey, addresses = [], ...rest } = item as { readonly name?: unknown; readonly publicKey?: unknown; readonly addresses?: unknown }
  if (Object.keys(rest).length > 0 || typeof peer !== 'string' || !isName(peer) || typeof publicKey !== 'string') return undefined
  const decoded = fromBase64url(publicKey)
  if (decoded?.length !== publicKeyBytes) return undefined
  if (!Array.isArray(addresses) || addresses.length > 8 || !addresses.every((address): address is string => typeof address === 'string' && isAddress(address))) return undefined
  return { name: peer, publicKey: decoded, addresses }
}

export const apiKeyList: Kind<readonly ApiKey[]> = {
  expected: `keys with name, hash (43 characters of base64url) and perSecond, names and hashes all different, at most ${apiKeysMax} (in text: name=hash@perSecond, separated by commas)`,
  fromJson(value) {
    if (!Array.isArray(value) || value.length > apiKeysMax) return undefined
    const keys = (value as readonly unknown[]).map(apiKeyFrom)
    const good = keys.every((key) => key !== undefined) && ['name', 'hash'].every((part) => new Set(keys.map((key) => key?.[part as 'name' | 'hash'])).size === keys.length)
    return good ? { value: keys as readonly ApiKey[] } : undefined
  },
  fromText(text, folder) {
    const parsed = items(text).map((item) => {
      const [, keyName, hash, perSecond] = /^([^=]+)=([A-Za-z0-9_-]+)@(\d{1,7})$/.exec(item) ?? []
      return { name: keyName, hash, perSecond: Number(perSecond) }
    })
    return apiKeyList.fromJson(parsed, folder)
  },
}

const keyRate = count(1, 1_000_000)

function apiKeyFrom(item: unknown): ApiKey | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { name: keyName, hash, perSecond, ...rest } = item as { readonly name?: unknown; readonly hash?: unknown; readonly perSecond?: unknown }
  const rate = keyRate.fromJson(perSecond, '')
  if (Object.keys(rest).length > 0 || typeof keyName !== 'string' || !isName(keyName) || typeof hash !== 'string' || fromBase64url(hash)?.length !== hashBytes || rate === undefined) return undefined
  return { name: keyName, hash, perSecond: rate.value }
}

function items(text: string): string[] {
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}
