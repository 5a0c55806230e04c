// Evidence is kept: across restarts, once each, and bounded for each validator. And it is shown.
import t from 'tap'
import { decodeEvidence, encodeEvidence, evidence as evidenceSchema, whyNotConvicted } from '../../consensus/contradiction.ts'
import { evidencePerValidatorMax } from '../../consensus/limits.ts'
import { encodeMessage, type Message } from '../../consensus/messages.ts'
import type { Blame } from '../../consensus/output.ts'
import { indexOfKey } from '../../consensus/validators.ts'
import { voteBytes } from '../../consensus/votes.ts'
import { validatorSetOf } from '../../genesis/genesis.ts'
import type { Hash, Height, View } from '../../primitives/brand.ts'
import { openEvidence } from '../../node/evidence.ts'
import { createClient } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { publicKeyOf, signerOf } from '../support/genesis.ts'
import { createMemoryStore } from '../support/memory-store.ts'
import { until } from '../support/until.ts'

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
  // its turn comes behind what was noted
  await store.page({})
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

t.test('two votes of one validator are shown by RPC, status and metrics, convict whoever checks them, and stay over a restart', async (t) => {
  const nodes = createAssembled()
  t.teardown(nodes.stopAll)
  const honest = ['validator-0', 'validator-1', 'validator-2']
  const { chainId } = (await Promise.all(honest.map(nodes.start)))[0] as { chainId: string }
  const liar = 'validator-3'
  const transport = nodes.transportOf(liar)
  t.teardown(async () => transport.stop())
  transport.setPeers(honest.map((name) => ({ name, publicKey: publicKeyOf(name), addresses: [] })))
  await transport.start()
  const validator = indexOfKey(validatorSetOf(nodes.genesis), publicKeyOf(liar)) as number
  const [view, height] = [0 as View, 1 as Height]
  const shown = async () => (await createClient({ url: nodes.node('validator-0').url }).call('chain_getEvidence', {})).items
  await until(async () => {
    for (const fill of [1, 2]) {
      const blockHash = new Uint8Array(32).fill(fill) as Hash
      transport.send('validator-0', 'consensus', encodeMessage({ type: 'commit', view, height, blockHash, validator, signature: signerOf(liar).sign(voteBytes('commit', chainId, view, height, blockHash)) }))
    }
    return (await shown()).length > 0
  }, 30_000)

  const holds = async (): Promise<void> => {
    const items = await shown()
    t.match(items, [{ validator: liar, kind: 'commit', height: 1, view: 0 }])
    const record = decodeEvidence(encodeEvidence(evidenceSchema.fromJson(items[0] ?? null, '')))
    t.equal(whyNotConvicted(record, chainId), undefined)
    const { url } = nodes.node('validator-0')
    t.match((await createClient({ url }).call('node_status', {})).problems.join('; '), /validator-3 signed contradictory messages \(1 kept\)/)
    t.match(await (await fetch(`${url}/metrics`)).text(), /^dongbaek_evidence_kept 1$/m)
  }
  await holds()
  await nodes.stop('validator-0')
  await nodes.start('validator-0')
  await holds()
})
