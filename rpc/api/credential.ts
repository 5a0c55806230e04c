// Status lists as Bitstring Status List 1.0 has them; what is stored of them is in the family itself.
import { integer, type JsonObject, record, slug } from '../../primitives/schema.ts'
import { statusIndexMax, statusSegmentBits } from '../../state/credential/types.ts'
import { answer, declare } from './declare.ts'

export const statusSegment = integer(0, Math.floor(statusIndexMax / statusSegmentBits))

export const credentialStatusList = declare({
  method: 'credential_statusList',
  summary: `A BitstringStatusListCredential of ${statusSegmentBits} entries of a status list, from segment × ${statusSegmentBits} on. It is not signed: prove it by state_proof, or have the issuer sign it.`,
  params: record({ list: slug, segment: statusSegment }),
  result: answer<JsonObject>({ type: 'object', properties: { '@context': { type: 'array' }, type: { type: 'array' }, issuer: { type: 'string' }, validFrom: { type: 'string' }, credentialSubject: { type: 'object' } }, required: ['@context', 'type', 'issuer', 'credentialSubject'] }),
  example: { list: 'citizenship', segment: 0 },
  errors: ['credential/not-found'],
  cost: 10,
})
