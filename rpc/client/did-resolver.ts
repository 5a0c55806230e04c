// A driver for the `did-resolver` package: `new Resolver({ ...getResolver(client) })`. Its types are restated here, so that the client needs no package for them.
import type { JsonObject } from '../../primitives/schema.ts'
import { documentTypes, fail, resolveDid, type Unresolved } from '../api/resolution.ts'
import type { Client } from './client.ts'

/** `ParsedDID` of the package, as far as it is read here. */
export interface ParsedDid {
  /** The DID alone. */
  readonly did: string
  /** Of the DID URL, without `?`. */
  readonly query?: string | undefined
}

/** `DIDResolutionOptions` of the package: `accept`, and options of the method. */
export interface DidResolutionOptions {
  readonly accept?: string
  readonly versionId?: string
  readonly versionTime?: string
}

/** `DIDResolutionResult` of the package. */
export interface DidResolutionResult {
  readonly didResolutionMetadata: JsonObject
  readonly didDocument: (JsonObject & { readonly id: string }) | null
  readonly didDocumentMetadata: JsonObject
}

export type DidResolver = (did: string, parsed: ParsedDid, resolver: unknown, options: DidResolutionOptions) => Promise<DidResolutionResult>

/** Never throws: what goes wrong is in `didResolutionMetadata.error`, as the package wants it (`notFound`, `invalidDid`, …; `internalError` when no node answers). */
export function getResolver(client: Pick<Client, 'callUntyped'>): { readonly dongbaek: DidResolver } {
  return {
    dongbaek: async (did, parsed, _resolver, { accept, ...options }) => {
      if (accept !== undefined && !(documentTypes as readonly string[]).includes(accept)) return unresolved(fail('notAcceptable', `ask for ${documentTypes[0]}`))
      try {
        // what the URL says stands over the caller's options
        const found = await resolveDid(async (params) => client.callUntyped('did_resolve', params), parsed.did, { ...options, ...queryOf(parsed.query) })
        if ('failure' in found) return unresolved(found)
        return { didResolutionMetadata: { contentType: accept ?? documentTypes[0] }, didDocument: found.didDocument as DidResolutionResult['didDocument'], didDocumentMetadata: found.didDocumentMetadata }
      } catch (thrown) {
        return unresolved(fail('internal', `${did}: ${thrown instanceof Error ? thrown.message : 'no answer'}`))
      }
    },
  }
}

function unresolved({ failure: { name, type }, detail }: Unresolved): DidResolutionResult {
  return { didResolutionMetadata: { error: name, errorType: type, errorMessage: detail }, didDocument: null, didDocumentMetadata: {} }
}

/** Percent-decoded; of a name that stands twice the values are kept apart, so that they are refused. */
function queryOf(query: string | undefined): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = {}
  for (const pair of query === undefined || query === '' ? [] : query.split('&')) {
    const at = pair.indexOf('=')
    const [name, value] = at < 0 ? [pair, ''] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))]
    options[name] = Object.hasOwn(options, name) ? [options[name], value] : value
  }
  return options
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // no percent-encoding: left as it is, and refused for its form
    return text
  }
}
