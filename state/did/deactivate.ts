// did.deactivate: the holder ends the DID for good; it stays resolvable as deactivated. Where a recovery key is committed it alone may do so,
// since whoever finds a phone could otherwise end what the recovery key is there to save.
import { equalBytes } from '../../primitives/bytes.ts'
import { kind, refuse } from '../family.ts'
import { organisationOf } from '../governance/organisations.ts'
import { isAuthorised } from './authority.ts'
import { readActive, replaceDid } from './documents.ts'
import { deactivated } from './events.ts'
import { signingKey } from './recovery.ts'
import { dropRequest } from './requests.ts'
import { deactivatePayload, recoveryHashOf } from './types.ts'

export const deactivate = kind({
  kind: 'did.deactivate',
  summary: 'Ends the sender’s DID for good; signed by the recovery key where one is committed, else by an authentication key.',
  payload: deactivatePayload,
  createsSender: true,
  apply: ({ block, transaction, view, emit }) => {
    const { sender } = transaction
    const current = readActive(view, sender)
    if ('code' in current) return current
    const key = signingKey(transaction)
    if (current.recovery !== undefined) {
      if (!equalBytes(recoveryHashOf(key), current.recovery)) return refuse('did/recovery-key-needed')
    } else if (!isAuthorised(view, sender, key)) return refuse('did/key-not-authorised')
    // a governor who can vote no more would still count in the majority
    const organisation = organisationOf(view, sender)
    if (organisation !== undefined) return refuse('did/holds-governor', { organisation })
    const { version } = replaceDid(view, block, sender, { keys: [], services: [], deactivated: true })
    dropRequest(view, sender)
    emit(deactivated({ did: sender, version }))
    return undefined
  },
})
