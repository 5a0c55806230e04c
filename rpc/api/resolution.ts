// DID resolution as the W3C has it (DID Resolution, section 4.4, and its errors, section 11), over whatever answers did_resolve: the HTTP binding and the client's
// driver for the `did-resolver` package are both this.
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { did } from '../../primitives/schema.ts'

export interface ResolutionFailure {
  /** Of the HTTP binding (section 12.1). */
  readonly status: number
  /** The word that the `did-resolver` package uses. */
  readonly name: string
  readonly type: string
  readonly title: string
}

const uri = (name: string): string => `https://www.w3.org/ns/did#${name}`

export const resolutionFailures = {
  invalidDid: { status: 400, name: 'invalidDid', type: uri('INVALID_DID'), title: 'Invalid DID' },
  invalidOptions: { status: 400, name: 'invalidOptions', type: uri('INVALID_OPTIONS'), title: 'Invalid options' },
  notFound: { status: 404, name: 'notFound', type: uri('NOT_FOUND'), title: 'Not found' },
  notAcceptable: { status: 406, name: 'representationNotSupported', type: uri('REPRESENTATION_NOT_SUPPORTED'), title: 'Representation not supported' },
  internal: { status: 500, name: 'internalError', type: uri('INTERNAL_ERROR'), title: 'Internal error' },
  otherMethod: { status: 501, name: 'unsupportedDidMethod', type: uri('METHOD_NOT_SUPPORTED'), title: 'DID method not supported' },
  otherFeature: { status: 501, name: 'featureNotSupported', type: uri('FEATURE_NOT_SUPPORTED'), title: 'Feature not supported' },
} as const satisfies Readonly<Record<string, ResolutionFailure>>

export interface Unresolved {
  readonly failure: ResolutionFailure
  readonly detail: string
}

/** `didDocument` is null for a DID that is deactivated now. */
export interface Resolved {
  readonly didDocument: JsonObject | null
  readonly didDocumentMetadata: JsonObject
}

/** The did rule of DID Core, section 3.1: percent-encoding in the last part, which is not empty. */
const didSyntax = /^did:[a-z0-9]+:(?:(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+$/
const didCharactersMax = 2_048
const ownPrefix = 'did:dongbaek:'

/** The media types of a document: of DID Core 1.1, and both of 1.0. The bytes are the same. */
export const documentTypes = ['application/did', 'application/did+json', 'application/did+ld+json'] as const

/**
 * Resolves by `ask`, which takes the parameters of did_resolve and throws `did/not-found` when there is no such DID or version.
 * `options` are strings as a query has them. Throws what `ask` throws otherwise.
 */
export async function resolveDid(ask: (params: JsonObject) => Promise<Json>, subject: string, options: Readonly<Record<string, unknown>>): Promise<Resolved | Unresolved> {
  if (subject.length > didCharactersMax || !didSyntax.test(subject)) return fail('invalidDid', 'this is no DID: did:, the method, a colon and its identifier')
  if (!subject.startsWith(ownPrefix)) return fail('otherMethod', 'this resolver knows did:dongbaek only')
  if (!isOwn(subject)) return fail('invalidDid', 'did:dongbaek: is followed by 27 base64url characters')
  const read = readOptions(options)
  if ('failure' in read) return read
  try {
    const { didDocument, didDocumentMetadata } = (await ask({ did: subject, ...read.params })) as JsonObject
    return { didDocument: didDocument as JsonObject | null, didDocumentMetadata: didDocumentMetadata as JsonObject }
  } catch (thrown) {
    if (thrown instanceof DongbaekError && thrown.code === 'did/not-found') return fail('notFound', 'there is no such DID, or no such version of it')
    throw thrown
  }
}

export function fail(name: keyof typeof resolutionFailures, detail: string): Unresolved {
  return { failure: resolutionFailures[name], detail }
}

function isOwn(subject: string): boolean {
  try {
    did.fromJson(subject, '')
    return true
  } catch {
    return false
  }
}

/** Parameters of DID URLs that speak of parts of a document, not of which document: a resolver is handed them, and they change nothing here. */
const ofParts: Readonly<Record<string, RegExp>> = { service: /^[\x21-\x7e]+$/, serviceType: /^[\x21-\x7e]+$/, relativeRef: /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+$/ }

const versionIdMax = 0xffff_ffff

function readOptions(options: Readonly<Record<string, unknown>>): { readonly params: JsonObject } | Unresolved {
  const params: Record<string, Json> = {}
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'string' || !/^[\x20-\x7e]+$/.test(value)) return fail('invalidOptions', `${name} takes one ASCII string`)
    const parts = Object.hasOwn(ofParts, name) ? ofParts[name] : undefined
    if (parts !== undefined) {
      if (!parts.test(value)) return fail('invalidOptions', `${name} is not percent-encoded`)
    } else if (name === 'versionId') {
      // ours are numbers; another string names no version
      if (!/^[1-9][0-9]{0,9}$/.test(value) || Number(value) > versionIdMax) return fail('notFound', 'there is no version of this name: versions are numbered from 1')
      params[name] = Number(value)
    } else if (name === 'versionTime') {
      const ms = timeOf(value)
      if (ms === undefined) return fail('invalidOptions', 'versionTime is a time in UTC without fractions, such as 2026-05-28T20:26:40Z')
      params[name] = ms
    } else if (name === 'expandRelativeUrls') {
      // ours are absolute already
      if (value !== 'true' && value !== 'false') return fail('invalidOptions', 'expandRelativeUrls is true or false')
    } else return fail('otherFeature', `there is no option ${name.slice(0, 40)}; there are versionId, versionTime and expandRelativeUrls`)
  }
  return 'versionId' in params && 'versionTime' in params ? fail('invalidOptions', 'versionId or versionTime, not both') : { params }
}

/** The datetime of DID Resolution, section 3.1; undefined for another form and for days that no calendar has. */
function timeOf(value: string): number | undefined {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(value)) return undefined
  const ms = Date.parse(value)
  return ms >= 0 && new Date(ms).toISOString().slice(0, 19) === value.slice(0, 19) ? ms : undefined
}
