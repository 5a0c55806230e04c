// Status lists as the issuer publishes them. A list on the chain speaks through its proof; a verifier that knows nothing of the chain needs a credential, signed by
// the issuer (Bitstring Status List 1.0, sections 2.2 and 3.2). Nodes hold no issuer's key, so the issuer signs where its key is, what was proven to it, for a short time.
import { toBase64url } from '../../../primitives/bytes.ts'
import { DongbaekError } from '../../../primitives/errors.ts'
import type { JsonObject } from '../../../primitives/schema.ts'
import { statusChunkTable, statusListTable } from '../../../state/credential/status.ts'
import { statusChunkBytes, statusSegmentBits, statusSegmentBytes } from '../../../state/credential/types.ts'
import { decodeValue, stateKey } from '../../../state/table.ts'
import type { Client } from '../client.ts'
import { type Trust, verifyStateProofs } from '../verify.ts'
import type { Signer } from '../wallet.ts'
import { typesOf, type Verification, verifyCredential } from './credential.ts'
import { credentialsContext } from './form.ts'
import { compress } from './gzip.ts'
import { addProof } from './proof.ts'
import { type StatusEntry, statusFromList } from './status.ts'
import { datetimeOf } from './time.ts'

const chunksOfSegment = statusSegmentBytes / statusChunkBytes

export interface PublishedList {
  readonly list: string
  /** Which 131,072 entries, from 0. */
  readonly segment: number
  /** The `statusBase` of the credentials: where the list will be found under `/<list>/<segment>`. */
  readonly base: string
  readonly validFromMs: number
  /** Until then a verifier may go by it, and a withdrawal may go unseen. */
  readonly validUntilMs: number
}

/** The list as it is certified now, signed. Throws `vc/status-unknown` when it is not the issuer's, `proof/…`, and like `client.call`. */
export async function signStatusList(client: Pick<Client, 'callUntyped'>, trust: Trust, { list, segment, base, validFromMs, validUntilMs }: PublishedList, issuer: Signer): Promise<JsonObject> {
  const chunkKeys = Array.from({ length: chunksOfSegment }, (_, i) => stateKey(statusChunkTable, [list, segment * chunksOfSegment + i]))
  const keys = [stateKey(statusListTable, [list]), ...chunkKeys]
  const { values } = verifyStateProofs(trust, keys, await client.callUntyped('state_proof', { keys }))
  const row = values.get(keys[0] as string)
  const known = row === undefined ? undefined : decodeValue(statusListTable, row)
  if (known?.issuer !== issuer.did) throw unknown(`${list} is no list of this issuer`)
  const bits = new Uint8Array(statusSegmentBytes)
  for (const [i, key] of chunkKeys.entries()) {
    const chunk = values.get(key)
    if (chunk !== undefined) bits.set(decodeValue(statusChunkTable, chunk), i * statusChunkBytes)
  }
  const id = `${base}/${list}/${segment}`
  const unsigned: JsonObject = {
    '@context': [credentialsContext],
    id,
    type: ['VerifiableCredential', 'BitstringStatusListCredential'],
    issuer: issuer.did,
    validFrom: datetimeOf(validFromMs),
    validUntil: datetimeOf(validUntilMs),
    credentialSubject: { id: `${id}#list`, type: 'BitstringStatusList', statusPurpose: known.purpose, encodedList: `u${toBase64url(await compress(bits))}` },
  }
  return addProof(unsigned, issuer, { purpose: 'assertionMethod', createdMs: validFromMs })
}

/**
 * Goes by the list that the issuer has signed, from wherever `fetchList` has it. The list must name the address that the credential names, so that nobody shows another
 * segment, and the end of its time, so that nobody shows an old one for ever.
 * Throws `vc/status-unknown`, what verifyCredential throws of the list, and what `fetchList` throws.
 */
export function statusFromIssuer(fetchList: (url: string) => Promise<JsonObject>, { resolver, nowMs }: Pick<Verification, 'resolver' | 'nowMs'>): (entry: StatusEntry, issuer: string) => Promise<boolean> {
  return async (entry, issuer) => {
    const url = `${entry.base}/${entry.list}/${Math.floor(entry.index / statusSegmentBits)}`
    const listed = await fetchList(url)
    if (listed['id'] !== url || !typesOf(listed).includes('BitstringStatusListCredential')) throw unknown('this is not the list that the credential names')
    if (listed['validUntil'] === undefined || listed['credentialStatus'] !== undefined) throw unknown('the list does not say until when it counts, or has a status of its own')
    // a list has no status: nothing is asked
    await verifyCredential(listed, { resolver, nowMs, status: async () => true })
    return statusFromList(listed, entry, issuer)
  }
}

function unknown(why: string): DongbaekError {
  return new DongbaekError('vc/status-unknown', why)
}
