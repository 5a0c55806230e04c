// credential.registerSchema: a version of a schema, fixed by its hash for good. Versions count from 1, so that a reader misses none.
import { kind, refuse } from '../family.ts'
import { schemaRegistered } from './events.ts'
import { refuseUnlessIssuer } from './issuers.ts'
import { schemaLatestTable, schemaTable } from './keys.ts'
import { registerSchemaPayload } from './types.ts'

export const registerSchema = kind({
  kind: 'credential.registerSchema',
  summary: 'Publishes the next version of a credential schema by its hash.',
  payload: registerSchemaPayload,
  apply: ({ block, transaction: { sender }, view, emit }, { schema, version, hash, url }) => {
    const refusal = refuseUnlessIssuer(view, sender, block.timeMs)
    if (refusal !== undefined) return refusal
    const latest = view.get(schemaLatestTable, sender, schema) ?? 0
    if (version <= latest) return refuse('credential/schema-exists', { schema, version })
    if (version !== latest + 1) return refuse('credential/schema-version-gap', { schema, next: latest + 1 })
    view.put(schemaTable, [sender, schema, version], { hash, url, registeredMs: block.timeMs })
    view.put(schemaLatestTable, [sender, schema], version)
    emit(schemaRegistered({ issuer: sender, schema, version, hash }))
    return undefined
  },
})
