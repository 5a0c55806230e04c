// Evidence is kept: across restarts, once each, and bounded for each validator.
import t from 'tap'
import { evidencePerValidatorMax } from '../../consensus/limits.ts'
import type { Message } from '../../consensus/messages.ts'
import type { Blame } from '../../consensus/output.ts'
import type { Hash, Height, View } from '../../primitives/brand.ts'
import { openEvidence } from '../../node/evidence.ts'
import { createMemoryStore } from '../support/memory-store.ts'

const onFatal = (error: unknown): never => t.fail(String(error)) as never

function doubleVote(validator: string, height: number): Blame {
  const vote = (fill: number): Message => ({ type: 'commit', view: 0 as View, height: height as Height, blockHash: new Uint8Array(32).fill(fill) as Hash, validator: 1, signature: new Uint8Array(64).fill(fill) })
  return { validator: { name: validator, organisation: 'busan', publicKey: new Uint8Array(32).fill(validator.length) }, kind: 'commit', height: height as Height, view: 0 as View, messages: [vote(1), vote(2)] }
}

t.test('what was seen is there after a restart, and what is seen again is kept once', async (t) => {
  const store = createMemoryStore()
  const evidence = await openEvidence({ store, onFatal })
  evidence.note(doubleVote('liar', 7))
  evidence.note(doubleVote('liar', 7))
  evidence.note(doubleVote('another', 8))
  t.match(evidence.all(), [{ validator: 'liar', kind: 'commit', height: 7, messages: [{ type: 'commit' }, { type: 'commit' }] }, { validator: 'another' }])
  const again = await openEvidence({ store: store.crash(), onFatal })
  t.same(new Set(again.all().map(({ validator }) => validator)), new Set(['another', 'liar']))
  t.strictSame(['another', 'liar', 'nobody'].map((name) => again.counts().get(name)), [1, 1, undefined])
  again.note(doubleVote('liar', 7))
  t.equal(again.all().length, 2)
})

t.test('one validator fills its own share only, over all lives of the node', async (t) => {
  const store = createMemoryStore()
  for (let life = 0; life < 3; life++) {
    const evidence = await openEvidence({ store, onFatal })
    for (let i = 0; i < 5; i++) evidence.note(doubleVote('liar', life * 5 + i + 1))
  }
  const evidence = await openEvidence({ store, onFatal })
  t.equal(evidence.all().length, evidencePerValidatorMax)
  evidence.note(doubleVote('another', 1))
  t.equal(evidence.counts().get('another'), 1)
})
