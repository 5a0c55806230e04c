// did.update: the holder replaces keys and services. The envelope has checked that an authentication key of the version before signed.
import { equalBytes } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { kind, refuse } from '../family.ts'
import { readDid, replaceDid, versionsMax } from './documents.ts'
import { updated } from './events.ts'
import { exposesRecovery } from './recovery.ts'
import { updatePayload } from './types.ts'

export const update = kind({
  kind: 'did.update',
  summary: 'Replaces the keys and services of the sender’s DID.',
  payload: updatePayload,
  apply: ({ block, transaction, view, emit }, { baseVersion, keys, services, recovery }) => {
    const { sender } = transaction
    const current = readDid(view, sender)
    assert(current !== undefined && !current.deactivated, 'the envelope checked a key of an active DID')
    if (current.version !== baseVersion) return refuse('did/version-conflict', { baseVersion, version: current.version })
    if (current.version >= versionsMax) return refuse('did/version-limit', { max: versionsMax })
    // naming the committed one again changes nothing
    if (current.recovery !== undefined && recovery !== undefined && !equalBytes(recovery, current.recovery)) return refuse('did/recovery-already-set')
    const kept = current.recovery ?? recovery
    if (exposesRecovery(keys, kept)) return refuse('did/recovery-key-exposed')
    const { version } = replaceDid(view, block, sender, { keys, services, recovery: kept })
    emit(updated({ did: sender, version }))
    return undefined
  },
})
