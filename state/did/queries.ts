// did_resolve and did_history.
import type { JsonObject } from '../../primitives/schema.ts'
import { boolean, did, height, list, optional, record, refine, timeMs, token } from '../../primitives/schema.ts'
import { json, pageFields, pageOf, pageResult, query } from '../query.ts'
import { type DidRecord, readDid } from './documents.ts'
import { openRequest, recoveryRequest } from './requests.ts'
import { documentOf, metadataOf, versionAt, versionNumbered } from './resolution.ts'
import { scheduledChange, scheduledTable } from './schedule.ts'
import { didKey, didKeysMax, didService, didServicesMax, didVersion } from './types.ts'

const object: JsonObject = { type: 'object' }
const resolution: JsonObject = {
  type: 'object',
  properties: { didResolutionMetadata: object, didDocument: { type: ['object', 'null'] }, didDocumentMetadata: object },
  required: ['didResolutionMetadata', 'didDocument', 'didDocumentMetadata'],
}

export const resolve = query({
  method: 'did_resolve',
  summary: 'The DID document, current, of a version, or as it was at the end of a second; of a deactivated DID the document is null and the metadata say so.',
  params: refine(record({ did, versionId: optional(didVersion), versionTime: optional(timeMs) }), ({ versionId, versionTime }) =>
    versionId !== undefined && versionTime !== undefined ? 'versionId or versionTime, not both' : undefined,
  ),
  result: json(resolution),
  run: (view, { did: subject, versionId, versionTime }) => {
    const current = readDid(view, subject)
    if (current === undefined) return undefined
    const select = (from: DidRecord) => (versionId !== undefined ? versionNumbered(view, subject, from, versionId) : versionTime !== undefined ? versionAt(view, subject, from, versionTime) : from)
    const shown = select(current)
    if (shown === undefined) return undefined
    return { didResolutionMetadata: { contentType: 'application/did' }, didDocument: current.deactivated && shown.version === current.version ? null : documentOf(subject, shown), didDocumentMetadata: metadataOf(view, subject, current, shown) }
  },
})

const historyItem = record({
  versionId: didVersion,
  atMs: timeMs,
  atHeight: height,
  keys: list(didKey, 0, didKeysMax),
  services: list(didService, 0, didServicesMax),
  /** On the last version only. */
  deactivated: boolean,
})

export const history = query({
  method: 'did_history',
  summary: 'Every version of a DID, oldest first, with the block and time from which each held.',
  params: record({ did, limit: pageFields.limit, cursor: optional(token(/[1-9][0-9]{0,9}/, 10, 'a cursor from an earlier answer')) }),
  result: pageResult(historyItem),
  run: (view, { did: subject, ...page }) => {
    const current = readDid(view, subject)
    if (current === undefined) return undefined
    const { cursor = '0', limit } = pageOf(page)
    const first = Number(cursor) + 1
    const last = Math.min(current.version, first + limit - 1)
    const items = []
    for (let number = first; number <= last; number++) {
      const shown = versionNumbered(view, subject, current, number)
      if (shown === undefined) break
      const { atMs, atHeight, keys, services } = shown
      items.push({ versionId: number, atMs, atHeight, keys, services, deactivated: current.deactivated && number === current.version })
    }
    return last < current.version ? { items, next: String(last) } : { items }
  },
})

export const pending = query({
  method: 'did_pending',
  summary: 'What awaits a DID: the change that is scheduled, and the recovery that a registrar has asked for.',
  params: record({ did }),
  result: record({ scheduled: optional(scheduledChange), recovery: optional(recoveryRequest) }),
  run: (view, { did: subject }, head) =>
    readDid(view, subject) === undefined ? undefined : { scheduled: view.get(scheduledTable, subject), recovery: openRequest(view, subject, head.timeMs) },
})

export const didQueries = [resolve, history, pending]
