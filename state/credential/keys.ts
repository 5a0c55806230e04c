// What the state holds of credentials besides the status lists (status.ts).
import { did, hash, height, optional, record, text, timeMs } from '../../primitives/schema.ts'
import { httpsUrl } from '../did/types.ts'
import { table } from '../table.ts'
import { issuerScope, schemaVersion } from './types.ts'

export const issuerRecord = record({ scope: issuerScope, name: text(1, 100), website: optional(httpsUrl), registeredMs: timeMs, updatedMs: timeMs })
/** credential.issuer/<did> */
export const issuerTable = table('credential.issuer', issuerRecord)

export const schemaRecord = record({ hash, url: httpsUrl, registeredMs: timeMs })
/** credential.schema/<issuer>/<schema>/<version> */
export const schemaTable = table('credential.schema', schemaRecord)
/** credential.schemaLatest/<issuer>/<schema> */
export const schemaLatestTable = table('credential.schemaLatest', schemaVersion)

export const anchorRecord = record({ issuer: did, atMs: timeMs, atHeight: height })
/** credential.anchor/<base64url of the hash> */
export const anchorTable = table('credential.anchor', anchorRecord)
