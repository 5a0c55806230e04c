// What the family answers: issuers, their schemas, anchors, and the status of credentials.
import { toBase64url } from '../../primitives/bytes.ts'
import type { Did } from '../../primitives/brand.ts'
import { boolean, bytes, did, hash, height, integer, optional, record, slug, text, timeMs } from '../../primitives/schema.ts'
import { httpsUrl } from '../did/types.ts'
import { pageFields, pageOf, pageResult, query } from '../query.ts'
import { anchorTable, issuerTable, schemaTable } from './keys.ts'
import { bitOf, chunkOf, statusChunkTable, statusListTable } from './status.ts'
import { issuerScope, schemaVersion, statusChunkBits, statusChunkBytes, statusIndexMax, statusPurpose } from './types.ts'

export const issuers = query({
  method: 'credential_issuers',
  summary: 'The issuers that have published what they are.',
  params: record(pageFields),
  result: pageResult(record({ issuer: did, scope: issuerScope, name: text(1, 100), website: optional(httpsUrl), registeredMs: timeMs, updatedMs: timeMs })),
  run: async (view, params) => {
    const { items, next } = await view.scan(issuerTable, [], pageOf(params))
    return { items: items.map(({ key, value }) => ({ issuer: key[0] as Did, ...value })), ...(next === undefined ? {} : { next }) }
  },
})

export const schemas = query({
  method: 'credential_schemas',
  summary: 'The schemas of an issuer, every version.',
  params: record({ issuer: did, ...pageFields }),
  result: pageResult(record({ schema: slug, version: schemaVersion, hash, url: httpsUrl, registeredMs: timeMs })),
  run: async (view, { issuer, ...page }) => {
    const { items, next } = await view.scan(schemaTable, [issuer], pageOf(page))
    return { items: items.map(({ key, value }) => ({ schema: key[1] as string, version: Number(key[2]), ...value })), ...(next === undefined ? {} : { next }) }
  },
})

export const anchorQuery = query({
  method: 'credential_anchor',
  summary: 'Who anchored a hash, and when.',
  params: record({ hash }),
  result: record({ hash, issuer: did, atMs: timeMs, atHeight: height }),
  run: (view, { hash: wanted }) => {
    const found = view.get(anchorTable, toBase64url(wanted))
    return found === undefined ? undefined : { hash: wanted, ...found }
  },
})

const index = integer(0, statusIndexMax)

export const status = query({
  method: 'credential_status',
  summary: 'One bit of a status list: true is revoked or suspended, as its purpose says.',
  params: record({ list: slug, index }),
  result: record({ list: slug, index, issuer: did, purpose: statusPurpose, status: boolean }),
  run: (view, { list, index: at }) => {
    const known = view.get(statusListTable, list)
    return known === undefined ? undefined : { list, index: at, ...known, status: bitOf(view.get(statusChunkTable, list, chunkOf(at)), at) }
  },
})

export const statusChunk = query({
  method: 'credential_statusChunk',
  summary: `The bits of a status list from chunk × ${statusChunkBits} on, left-most first, as a Bitstring Status List credential is made from them.`,
  params: record({ list: slug, chunk: integer(0, chunkOf(statusIndexMax)) }),
  result: record({ list: slug, chunk: integer(), issuer: did, purpose: statusPurpose, bits: bytes(statusChunkBytes, statusChunkBytes) }),
  run: (view, { list, chunk }) => {
    const known = view.get(statusListTable, list)
    return known === undefined ? undefined : { list, chunk, ...known, bits: view.get(statusChunkTable, list, chunk) ?? new Uint8Array(statusChunkBytes) }
  },
})

export const credentialQueries = [issuers, schemas, anchorQuery, status, statusChunk]
