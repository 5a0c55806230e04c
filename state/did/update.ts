// did.update: the holder replaces keys and services, at once or with effect from a height. The envelope has checked that an authentication key of the version before signed.
import { equalBytes } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { kind, refuse } from '../family.ts'
import { readDid, replaceDid, versionsMax } from './documents.ts'
import { scheduled, updated } from './events.ts'
import { exposesRecovery } from './recovery.ts'
import { dueAt, schedule } from './schedule.ts'
import { scheduledAtHeightMax, scheduledHeightsMax, updatePayload } from './types.ts'

export const update = kind({
  kind: 'did.update',
  summary: 'Replaces the keys and services of the sender’s DID, at once or from a height on.',
  payload: updatePayload,
  apply: ({ block, transaction, view, emit }, { baseVersion, keys, services, fromHeight, recovery }) => {
    const { sender } = transaction
    const current = readDid(view, sender)
    assert(current !== undefined && !current.deactivated, 'the envelope checked a key of an active DID')
    if (current.version !== baseVersion) return refuse('did/version-conflict', { baseVersion, version: current.version })
    if (current.version >= versionsMax) return refuse('did/version-limit', { max: versionsMax })
    // naming the committed one again changes nothing
    if (current.recovery !== undefined && recovery !== undefined && !equalBytes(recovery, current.recovery)) return refuse('did/recovery-already-set')
    const kept = current.recovery ?? recovery
    if (exposesRecovery(keys, kept)) return refuse('did/recovery-key-exposed')
    if (fromHeight !== undefined) {
      const [min, max] = [block.height + 1, block.height + scheduledHeightsMax]
      if (fromHeight < min || fromHeight > max) return refuse('did/height-not-ahead', { min, max })
      if (dueAt(view, fromHeight).filter((other) => other !== sender).length >= scheduledAtHeightMax) return refuse('did/height-full', { fromHeight })
      schedule(view, sender, { fromHeight, keys, services, recovery: kept })
      emit(scheduled({ did: sender, fromHeight }))
      return undefined
    }
    const { version } = replaceDid(view, block, sender, { keys, services, recovery: kept })
    emit(updated({ did: sender, version }))
    return undefined
  },
})
