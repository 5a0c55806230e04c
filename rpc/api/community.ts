// The bodies of posts, kept outside the blocks by their hash; what is posted is in the family itself.
import { bytes, hash, record } from '../../primitives/schema.ts'
import { bodyBytesMax } from '../limits.ts'
import { declare, exampleHash } from './declare.ts'

const body = bytes(1, bodyBytesMax)

export const communityPutBody = declare({
  method: 'community_putBody',
  summary: 'Hands in the body of a post before the transaction that names it by its hash. What no post names is dropped.',
  params: record({ body }),
  result: record({ hash }),
  example: { body: '7JWI64WV' },
  errors: ['community/body-too-large', 'community/body-empty', 'community/body-erased', 'community/body-other-length'],
  cost: 10,
})

export const communityGetBody = declare({
  method: 'community_getBody',
  summary: 'The body with this hash, unless it was erased or never came here.',
  params: record({ hash }),
  result: record({ body }),
  example: { hash: exampleHash },
  errors: ['community/not-found'],
})
