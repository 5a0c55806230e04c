// credential_statusList: from the chunks of the state to the form of the W3C.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { toBase64url } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { statusChunkTable, statusListTable } from '../../state/credential/status.ts'
import { statusChunkBytes, statusSegmentBytes } from '../../state/credential/types.ts'
import { toDatetime } from '../../state/did/datetime.ts'
import { credentialStatusList } from '../api/credential.ts'
import type { Backend } from '../backend.ts'
import { type Method, serve } from './method.ts'

const compress = promisify(gzip)
const chunksOfSegment = statusSegmentBytes / statusChunkBytes

/** Throws `credential/not-found`. `id` is the address that it is served at, if any. */
export async function statusListCredential(backend: Backend, list: string, segment: number, id?: string): Promise<JsonObject> {
  const found = await backend.query((view, head) => {
    const known = view.get(statusListTable, list)
    if (known === undefined) return undefined
    const bits = new Uint8Array(statusSegmentBytes)
    for (let i = 0; i < chunksOfSegment; i++) {
      const chunk = view.get(statusChunkTable, list, segment * chunksOfSegment + i)
      if (chunk !== undefined) bits.set(chunk, i * statusChunkBytes)
    }
    return { ...known, bits, timeMs: head.timeMs }
  })
  if (found === undefined) throw new DongbaekError('credential/not-found', 'there is no such status list at the head of this node', { list })
  return {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    ...(id === undefined ? {} : { id }),
    type: ['VerifiableCredential', 'BitstringStatusListCredential'],
    issuer: found.issuer,
    validFrom: toDatetime(found.timeMs),
    credentialSubject: {
      ...(id === undefined ? {} : { id: `${id}#list` }),
      type: 'BitstringStatusList',
      statusPurpose: found.purpose,
      encodedList: `u${toBase64url(await compress(found.bits))}`,
    },
  }
}

export const credentialMethods: readonly Method[] = [serve(credentialStatusList, ({ backend }, { list, segment }) => statusListCredential(backend, list, segment))]
