// Vectors of what validators say to each other: each consensus message, signed, and the frames that carry them.
import type { Hash, Height, View } from '../../primitives/brand.ts'
import { concatBytes, toHex, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { Json } from '../../primitives/schema.ts'
import { blockHash } from '../../consensus/block.ts'
import { encodeMessage, message as messageSchema, type Message, newViewBytes, statusBytes, viewChangeBytes } from '../../consensus/messages.ts'
import { checkpointBytes, voteBytes, type VoteKind } from '../../consensus/votes.ts'
import { encodeFrames } from '../../node/frames.ts'
import { chain, contentOf, headerOf, references, set } from './ledger.ts'

const signBy = (validator: number, bytes: Uint8Array): Uint8Array => sign(bytes, keyPairFromSeed(sha256(utf8(`vector seed of ${(set.validators[validator] as { name: string }).name}`))))

export function messages(): readonly { readonly what: string; readonly by: number | undefined; readonly signedBytes: Uint8Array | undefined; readonly message: Message }[] {
  const header = headerOf()
  const hash = blockHash(header)
  const vote = (kind: VoteKind, view: number, validator: number): Uint8Array => signBy(validator, voteBytes(kind, chain, view as View, header.height, hash))
  const slot = { height: header.height, blockHash: hash }
  const commit = { view: 2 as View, ...slot, signatures: [0, 1, 3].map((validator) => ({ validator, signature: vote('commit', 2, validator) })) }
  // the primary of view 2 is validator 2: its entry is its pre-prepare
  const prepared = { view: 2 as View, ...slot, signatures: [0, 2, 3].map((validator) => ({ validator, signature: vote(validator === 2 ? 'pre-prepare' : 'prepare', 2, validator) })) }
  const content = contentOf(sha256(utf8('state root')) as Hash)
  const change = (validator: number, full: boolean) => {
    const fields = { epoch: 1 as Height, view: 3 as View, validator, ...(full ? { prepared: [{ header, certificate: prepared }] } : { base: { header, certificate: commit }, prepared: [] }) }
    return { fields, signed: viewChangeBytes(chain, fields) }
  }
  const changes = [change(0, true), change(1, false), change(3, false)]
  const signedChanges = changes.map(({ fields, signed }) => ({ ...fields, signature: signBy(fields.validator, signed) }))
  const next = { epoch: 1 as Height, view: 3 as View, viewChanges: signedChanges, adopted: [{ blockHash: hash, signature: vote('pre-prepare', 3, 3) }] }
  const certificate = { content, signatures: [0, 1, 3].map((validator) => ({ validator, signature: signBy(validator, checkpointBytes(chain, content)) })) }
  // the base is the block that was certified last
  const foundation = { checkpoint: certificate, decided: [] }
  const status = { epoch: 1 as Height, view: 2 as View, active: 1, wish: 3 as View, committed: 7 as Height, checkpoint: 0 as Height, validator: 0 }
  return [
    { what: 'the primary of view 2 proposes', by: 2, signedBytes: voteBytes('pre-prepare', chain, 2 as View, header.height, hash), message: { type: 'pre-prepare', view: 2 as View, header, manifest: concatBytes(...references), signature: vote('pre-prepare', 2, 2) } },
    { what: 'a prepare', by: 0, signedBytes: voteBytes('prepare', chain, 2 as View, header.height, hash), message: { type: 'prepare', view: 2 as View, ...slot, validator: 0, signature: vote('prepare', 2, 0) } },
    { what: 'a commit', by: 3, signedBytes: voteBytes('commit', chain, 2 as View, header.height, hash), message: { type: 'commit', view: 2 as View, ...slot, validator: 3, signature: vote('commit', 2, 3) } },
    { what: 'a checkpoint', by: 1, signedBytes: checkpointBytes(chain, content), message: { type: 'checkpoint', content, validator: 1, signature: signBy(1, checkpointBytes(chain, content)) } },
    { what: 'a view change that shows a prepared block', by: 0, signedBytes: changes[0]?.signed, message: { type: 'view-change', ...(signedChanges[0] as (typeof signedChanges)[number]) } },
    { what: 'a view change on a final block', by: 1, signedBytes: changes[1]?.signed, message: { type: 'view-change', ...(signedChanges[1] as (typeof signedChanges)[number]), foundation } },
    { what: 'a new view', by: 3, signedBytes: newViewBytes(chain, next), message: { type: 'new-view', ...next, signature: signBy(3, newViewBytes(chain, next)), foundation } },
    { what: 'a status', by: 0, signedBytes: statusBytes(chain, status), message: { type: 'status', ...status, signature: signBy(0, statusBytes(chain, status)) } },
    { what: 'a checkpoint certificate', by: undefined, signedBytes: undefined, message: { type: 'certified', certificate } },
  ]
}

export function messageVectors(): Json {
  return {
    chain,
    validators: set.validators.map(({ publicKey }) => toHex(publicKey)),
    messages: messages().map(({ what, by, signedBytes, message }) => ({
      what,
      json: messageSchema.toJson(message),
      encoded: toHex(encodeMessage(message)),
      ...(by === undefined || signedBytes === undefined ? {} : { signedBy: by, signedBytes: toHex(signedBytes) }),
    })),
    frames: [['a'], ['', 'ab'], ['동백', '']].map((contents) => ({ contents: contents.map((content) => toHex(utf8(content))), stream: toHex(encodeFrames(contents.map(utf8))) })),
  }
}
