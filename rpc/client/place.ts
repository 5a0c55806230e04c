// A citizen's place in a programme's line, proven: the order of the chain is what "first come, first served" means, and nobody need believe a node about it.
import type { Did } from '../../primitives/brand.ts'
import { accountTable, type Application, lineTable } from '../../state/points/keys.ts'
import { decodeValue, stateKey } from '../../state/table.ts'
import type { Client } from './client.ts'
import { type Trust, verifyStateProofs } from './verify.ts'

export interface ProvenPlace extends Pick<Application, 'place' | 'status' | 'line'> {
  /** The certified height at which this is so. */
  readonly height: number
  /** While waiting: how many are served before, at most; those who have left the line are counted. */
  readonly aheadMax?: number
}

/**
 * Asks a node and checks its proof against the validators that are trusted: what `points_application` answers. undefined: it is proven that the DID has not applied.
 * Throws `codec/invalid`, `proof/…`, and like `client.call`.
 */
export function provenPlace(client: Pick<Client, 'callUntyped'>, trust: Trust): (program: string, did: Did) => Promise<ProvenPlace | undefined> {
  return async (program, did) => {
    const [accountKey, lineKey] = [stateKey(accountTable, [program, did]), stateKey(lineTable, [program])]
    const keys = [accountKey, lineKey]
    const { height, values } = verifyStateProofs(trust, keys, await client.callUntyped('state_proof', { keys }))
    const [account, next] = [values.get(accountKey), values.get(lineKey)]
    const application = account === undefined ? undefined : decodeValue(accountTable, account).application
    if (application === undefined) return undefined
    const { place, status, line } = application
    if (line === undefined) return { height, place, status }
    return { height, place, status, line, aheadMax: line - (next === undefined ? 1 : decodeValue(lineTable, next).head) }
  }
}
