// The schema that a credential names (W3C Verifiable Credentials JSON Schema): its address is the issuer's word, its bytes are what the issuer has fixed on the chain.
import type { Hash } from '../../../primitives/brand.ts'
import { equalBytes, fromBase64url, fromUtf8 } from '../../../primitives/bytes.ts'
import { DongbaekError } from '../../../primitives/errors.ts'
import { sha256 } from '../../../primitives/hash.ts'
import type { Json, JsonObject } from '../../../primitives/schema.ts'
import type { Client } from '../client.ts'
import { isObject } from './proof.ts'

/** Of the document: a schema of a card has a few kilobytes. */
const schemaBytesMax = 1_048_576

/** What credential.registerSchema takes: SHA-256 of the document's bytes as they are served. */
export function schemaHash(document: Uint8Array): Hash {
  return sha256(document) as Hash
}

/**
 * The JSON Schema of a verified credential, for a validator of JSON Schema to judge the credential by: fetched from where the credential says, and the very bytes that its issuer has
 * registered, by what the node answers. Throws `vc/schema` when it names none, its issuer has registered none at that address, or the bytes are others; and what `fetchBytes` and `client.call` throw.
 */
export async function registeredSchema(client: Pick<Client, 'call'>, credential: JsonObject, fetchBytes: (url: string) => Promise<Uint8Array>): Promise<JsonObject> {
  const { credentialSchema, issuer } = credential
  const { id: url, type } = isObject(credentialSchema) ? credentialSchema : {}
  const did = isObject(issuer) ? issuer['id'] : issuer
  if (typeof url !== 'string' || type !== 'JsonSchema' || typeof did !== 'string') throw schemaError('the credential names no JSON Schema')
  const hashes = await hashesAt(client, did, url)
  if (hashes.length === 0) throw schemaError('the issuer has registered no schema at this address')
  const document = await fetchBytes(url)
  if (document.length > schemaBytesMax) throw schemaError(`a schema has at most ${schemaBytesMax} bytes`)
  const own = schemaHash(document)
  if (!hashes.some((hash) => equalBytes(hash, own))) throw schemaError('the document is not the one that the issuer has registered')
  const schema = parse(document)
  if (!isObject(schema)) throw schemaError('the document is no JSON Schema')
  return schema
}

async function hashesAt(client: Pick<Client, 'call'>, issuer: string, url: string): Promise<readonly Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await client.call('credential_schemas', { issuer, limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
    for (const item of items) if (item.url === url) hashes.push(fromBase64url(item.hash) ?? new Uint8Array())
    if (next === undefined) return hashes
    cursor = next
  }
}

function parse(document: Uint8Array): Json | undefined {
  try {
    return JSON.parse(fromUtf8(document)) as Json
  } catch {
    // no JSON: said by the caller
    return undefined
  }
}

function schemaError(why: string): DongbaekError {
  return new DongbaekError('vc/schema', why)
}
