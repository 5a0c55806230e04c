// Evidence convicts the key that signed two contradictory statements, and nobody else: no change in it convicts anybody.
import t from 'tap'
import { decodeEvidence, encodeEvidence, type EvidenceRecord, whyNotConvicted } from '../../consensus/contradiction.ts'
import type { Message } from '../../consensus/messages.ts'
import { viewChangeBytes } from '../../consensus/messages.ts'
import { checkpointBytes, type CheckpointContent, voteBytes } from '../../consensus/votes.ts'
import type { Hash, Height, View } from '../../primitives/brand.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'

const chain = 'test-0123456789abcdef'
const liar = keyPairFromSeed(new Uint8Array(32).fill(1))
const other = keyPairFromSeed(new Uint8Array(32).fill(2))
const block = (fill: number): Hash => new Uint8Array(32).fill(fill) as Hash
const height = 9 as Height

function vote(type: 'prepare' | 'commit', fill: number, { view = 3, at = height, by = liar, on = chain } = {}): Message {
  return { type, view: view as View, height: at, blockHash: block(fill), validator: 1, signature: sign(voteBytes(type, on, view as View, at, block(fill)), by) }
}
function proposal(fill: number): Message {
  const header = { chain, height, parent: block(0), timeMs: 1 as never, proposer: 0, payload: block(fill), payloadCount: 1 }
  const signed = { type: 'pre-prepare' as const, view: 3 as View, header, manifest: new Uint8Array(1), signature: new Uint8Array(64) }
  return signed
}
function checkpoint(fill: number): Message {
  const content: CheckpointContent = { height, blockHash: block(1), stateRoot: block(fill), nextSet: block(0) }
  return { type: 'checkpoint', content, validator: 1, signature: sign(checkpointBytes(chain, content), liar) }
}
function viewChange(validator: number): Message {
  const content = { epoch: 1 as Height, view: 4 as View, validator, prepared: [] }
  return { type: 'view-change', ...content, signature: sign(viewChangeBytes(chain, content), liar) }
}
const evidence = (...messages: readonly Message[]): EvidenceRecord => ({ validator: 'liar', publicKey: liar.publicKey, kind: 'commit', messages })

t.test('two statements about one place convict, also read back', (t) => {
  for (const pair of [[vote('commit', 1), vote('commit', 2)], [vote('prepare', 1), vote('prepare', 2)], [checkpoint(1), checkpoint(2)], [viewChange(1), viewChange(2)]] as const) {
    const one = decodeEvidence(encodeEvidence(evidence(...pair)))
    t.equal(whyNotConvicted(one, chain), undefined, pair[0].type)
    t.match(whyNotConvicted({ ...one, publicKey: other.publicKey }, chain), /not by this key/)
    t.match(whyNotConvicted(one, 'test-ffffffffffffffff'), /not by this key, or for another chain/)
  }
  t.end()
})

t.test('what a correct validator may sign convicts nobody', (t) => {
  const cases: readonly (readonly [string, readonly Message[], RegExp])[] = [
    ['another view', [vote('commit', 1), vote('commit', 2, { view: 4 })], /different places/],
    ['another height', [vote('commit', 1), vote('commit', 2, { at: 10 as Height })], /different places/],
    ['another kind', [vote('commit', 1), vote('prepare', 2)], /different places/],
    ['the same twice', [vote('commit', 1), vote('commit', 1)], /say the same/],
    ['one alone', [vote('commit', 1)], /not two statements/],
    ['one of another', [vote('commit', 1), vote('commit', 2, { by: other })], /not by this key/],
    ['one of another chain', [vote('commit', 1), vote('commit', 2, { on: 'test-ffffffffffffffff' })], /another chain/],
    ['proposals without a signature', [proposal(1), proposal(2)], /not by this key/],
  ]
  for (const [what, messages, why] of cases) t.match(whyNotConvicted(evidence(...messages), chain), why, what)
  t.end()
})
