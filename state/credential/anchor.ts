// credential.anchor: salted hashes of credentials that their holders keep. Nothing says whose they are.
import { toBase64url } from '../../primitives/bytes.ts'
import { kind, refuse } from '../family.ts'
import { anchored } from './events.ts'
import { refuseUnlessIssuer } from './issuers.ts'
import { anchorTable } from './keys.ts'
import { anchorPayload } from './types.ts'

export const anchor = kind({
  kind: 'credential.anchor',
  summary: 'Anchors salted hashes of credentials, all of them or none.',
  payload: anchorPayload,
  apply: ({ block, transaction: { sender }, view, emit }, { hashes }) => {
    const refusal = refuseUnlessIssuer(view, sender, block.timeMs)
    if (refusal !== undefined) return refusal
    for (const [index, hash] of hashes.entries()) {
      const key = toBase64url(hash)
      if (view.get(anchorTable, key) !== undefined) return refuse('credential/anchor-exists', { index })
      view.put(anchorTable, [key], { issuer: sender, atMs: block.timeMs, atHeight: block.height })
    }
    emit(anchored({ issuer: sender, hashes }))
    return undefined
  },
})
