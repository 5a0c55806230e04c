// Recovery through a registrar: for the citizen who has lost the phone and the recovery key too, and has shown a registrar who he is. It waits, so that a holder who
// has lost nothing can stop it, and lapses, so that no open door is forgotten. A thief with the phone can stop it too, each time: so two registrars together ask for one that
// waits twice as long and that only registrars can stop.
import type { Did, TimeMs } from '../../primitives/brand.ts'
import { did, hash, type Infer, optional, record, timeMs } from '../../primitives/schema.ts'
import { organisationOf } from '../governance/organisations.ts'
import { everyScope, hasRole, roleNames } from '../roles.ts'
import { table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'
import { didKeys, didServices } from './types.ts'

export const recoveryRequest = record({
  registrar: did,
  /** A second registrar who signed it too: then its holder cannot stop it. */
  second: optional(did),
  keys: didKeys,
  services: didServices,
  recovery: optional(hash),
  requestedMs: timeMs,
  /** From this block time on it may be completed. */
  readyMs: timeMs,
  /** The last block time at which it may. */
  untilMs: timeMs,
})
export type RecoveryRequest = Infer<typeof recoveryRequest>

/** did.recoveryRequest/<did> */
export const recoveryRequestTable = table('did.recoveryRequest', recoveryRequest)

/** The request that may still be completed, or stopped. */
export function openRequest(view: ReadView, own: Did, nowMs: TimeMs): RecoveryRequest | undefined {
  const request = view.get(recoveryRequestTable, own)
  return request === undefined || nowMs > request.untilMs ? undefined : request
}

export function dropRequest(view: WriteView, own: Did): void {
  if (view.get(recoveryRequestTable, own) !== undefined) view.remove(recoveryRequestTable, [own])
}

/** True for a governor and for whoever holds a role over every scope: registrars must not come to another office through its DID. */
export function holdsOffice(view: ReadView, own: Did, nowMs: TimeMs): boolean {
  return organisationOf(view, own) !== undefined || roleNames.some((role) => hasRole(view, own, role, everyScope, nowMs))
}
