// Whether a credential is withdrawn: a bit of a list on the chain, shown in lists of 131,072 as Bitstring Status List 1.0 has them. Three ways to read it: ask a node,
// have it proven, or take the list that an issuer has signed and published.
import { fromBase64url } from '../../../primitives/bytes.ts'
import { DongbaekError } from '../../../primitives/errors.ts'
import type { Json, JsonObject } from '../../../primitives/schema.ts'
import { bitOf, chunkOf, statusChunkTable, statusListTable } from '../../../state/credential/status.ts'
import { statusChunkBytes, statusIndexMax, type StatusPurpose, statusSegmentBits, statusSegmentBytes } from '../../../state/credential/types.ts'
import { decodeValue, stateKey } from '../../../state/table.ts'
import type { Client } from '../client.ts'
import { type Trust, verifyStateProofs } from '../verify.ts'
import { expand } from './gzip.ts'
import { isObject } from './proof.ts'

/** A place in a list: as the chain counts, over all its segments. */
export interface StatusEntry {
  readonly purpose: StatusPurpose
  readonly list: string
  readonly index: number
  /** Where the lists are served: `https://node.example/credentials/status`. */
  readonly base: string
}

export function statusEntryJson({ purpose, list, index, base }: StatusEntry): JsonObject {
  const [segment, at] = [Math.floor(index / statusSegmentBits), index % statusSegmentBits]
  const url = `${base}/${list}/${segment}`
  return { id: `${url}#${at}`, type: 'BitstringStatusListEntry', statusPurpose: purpose, statusListIndex: String(at), statusListCredential: url }
}

/** One, several or none. Throws `vc/status-unknown` for another kind of status: a credential whose status cannot be read must not pass. */
export function readStatusEntries(value: Json | undefined): readonly StatusEntry[] {
  const entries = value === undefined ? [] : Array.isArray(value) ? (value as readonly Json[]) : [value]
  return entries.map((entry) => {
    const { id, type, statusPurpose: purpose, statusListIndex, statusListCredential, statusSize = 1 } = isObject(entry) ? entry : {}
    const place = typeof statusListCredential === 'string' ? /^(https?:\/\/.+)\/([a-z0-9-]{1,64})\/(0|[1-9][0-9]{0,3})$/.exec(statusListCredential) : null
    const within = typeof statusListIndex === 'string' && /^(?:0|[1-9][0-9]{0,6})$/.test(statusListIndex) ? Number(statusListIndex) : statusSegmentBits
    const index = Number(place?.[3] ?? 0) * statusSegmentBits + within
    // a status of several bits stands elsewhere in the list, and an id that is the list's is forbidden (Bitstring Status List 1.0, section 2.1)
    if (type !== 'BitstringStatusListEntry' || statusSize !== 1 || id === statusListCredential || (purpose !== 'revocation' && purpose !== 'suspension') || place === null || within >= statusSegmentBits || index > statusIndexMax) throw unknown('the status of the credential is none that can be read')
    return { purpose, list: place[2] as string, index, base: place[1] as string }
  })
}

/** Asks a node, and believes it. Throws `vc/status-unknown` when it has no such list of this issuer, and like `client.call`. */
export function statusFromNode(client: Pick<Client, 'call'>): (entry: StatusEntry, issuer: string) => Promise<boolean> {
  return async ({ list, index, purpose }, issuer) => {
    const found = await client.call('credential_status', { list, index })
    if (found.issuer !== issuer || found.purpose !== purpose) throw unknown('the list is another issuer’s, or of another purpose')
    return found.status
  }
}

/** Asks a node and checks its proof against the validators that are trusted. Throws `vc/status-unknown`, `proof/…`, and like `client.call`. */
export function provenStatus(client: Pick<Client, 'callUntyped'>, trust: Trust): (entry: StatusEntry, issuer: string) => Promise<boolean> {
  return async ({ list, index, purpose }, issuer) => {
    const keys = [stateKey(statusListTable, [list]), stateKey(statusChunkTable, [list, chunkOf(index)])] as const
    const { values } = verifyStateProofs(trust, keys, await client.callUntyped('state_proof', { keys }))
    const [known, chunk] = keys.map((key) => values.get(key))
    const owner = known === undefined ? undefined : decodeValue(statusListTable, known)
    if (owner?.issuer !== issuer || owner.purpose !== purpose) throw unknown('the list is another issuer’s, or of another purpose')
    return bitOf(chunk === undefined ? undefined : decodeValue(statusChunkTable, chunk), index)
  }
}

/**
 * Reads the bit in a BitstringStatusListCredential that has been fetched from where the entry says and is believed: a node's over TLS, or a signed one that statusFromIssuer has verified.
 * Throws `vc/status-unknown`.
 */
export async function statusFromList(listed: JsonObject, { purpose, index }: StatusEntry, issuer: string): Promise<boolean> {
  const subject = listed['credentialSubject']
  if (!isObject(subject) || subject['type'] !== 'BitstringStatusList' || subject['statusPurpose'] !== purpose || listed['issuer'] !== issuer) throw unknown('the list is another issuer’s, or of another purpose')
  const { encodedList } = subject
  const compressed = typeof encodedList === 'string' && encodedList.startsWith('u') ? fromBase64url(encodedList.slice(1)) : undefined
  if (compressed === undefined) throw unknown('the list is not encoded as it should be')
  const bits = await expand(compressed, statusSegmentBytes)
  if (bits.length !== statusSegmentBytes) throw unknown(`the list has ${bits.length * 8} entries, not ${statusSegmentBits}`)
  const from = chunkOf(index % statusSegmentBits) * statusChunkBytes
  return bitOf(bits.subarray(from, from + statusChunkBytes), index)
}

function unknown(why: string): DongbaekError {
  return new DongbaekError('vc/status-unknown', why)
}
