// What is left after a power cut of everybody, and of a node that has lost its store or its votes.
import t, { type Test } from 'tap'
import { silentLog } from '../../node/log.ts'
import { buildTransaction, type Client, createClient, randomSeed, type ReceiptJson, signTransaction, submitAndWait, walletFromSeed } from '../../rpc/client/index.ts'
import type { Action } from '../../state/governance/types.ts'
import { type Assembled, createAssembled } from '../support/assembled.ts'
import { seedOf, smallPreset } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const registrar = walletFromSeed(seedOf('registrar'))

/** `told`: what the logs say of votes that are missing. */
async function started(t: Test, told: string[] = []): Promise<Assembled> {
  const nodes = createAssembled({
    log: (name) => ({ ...silentLog, error: (event, data) => void (event === 'votes-outdated' && told.push(`${name}: ${String(data?.['why'])}`)) }),
  })
  t.teardown(nodes.stopAll)
  await Promise.all(nodes.names.map(nodes.start))
  await allReady(nodes)
  return nodes
}

const clientOf = (nodes: Assembled, name: string): Client => createClient({ url: nodes.node(name).url })

async function allReady(nodes: Assembled): Promise<void> {
  await until(async () => (await Promise.all(nodes.names.map((name) => clientOf(nodes, name).call('node_status', {})))).every(({ ready }) => ready), 60_000)
}

async function register(nodes: Assembled, name: string): Promise<ReceiptJson> {
  const wallet = walletFromSeed(randomSeed())
  const { chainId } = nodes.node(name)
  const unsigned = buildTransaction({ chain: chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } })
  return submitAndWait(clientOf(nodes, name), await signTransaction(unsigned, [wallet, registrar]), { timeoutMs: 60_000 })
}

async function hasAll(t: Test, nodes: Assembled, receipts: readonly ReceiptJson[]): Promise<void> {
  const head = Math.max(...receipts.map(({ height }) => height))
  for (const name of nodes.names) {
    await until(async () => (await clientOf(nodes, name).call('node_status', {})).head.height >= head, 60_000)
    for (const receipt of receipts) t.same((await clientOf(nodes, name).call('tx_get', { id: receipt.id })).receipt, receipt, `${name} has ${receipt.height}`)
  }
}

t.test('every receipt that was answered survives the power cut of all, though no store had synced a block', async (t) => {
  const told: string[] = []
  const nodes = await started(t, told)
  const receipts: ReceiptJson[] = []
  for (let i = 0; i < 4; i++) receipts.push(await register(nodes, 'validator-1'))
  await nodes.powerCut()
  await Promise.all(nodes.names.map(nodes.start))
  await hasAll(t, nodes, receipts)
  t.equal((await register(nodes, 'validator-2')).status, 'ok', 'and the chain goes on')
  t.strictSame(told, [], 'and nobody takes its votes for old')
})

t.test('blocks that a validator only fetched are there again after the cut', async (t) => {
  const told: string[] = []
  const nodes = await started(t, told)
  const receipts = [await register(nodes, 'validator-0')]
  await nodes.stop('validator-3')
  for (let i = 0; i < 3; i++) receipts.push(await register(nodes, 'validator-0'))
  await nodes.start('validator-3')
  await hasAll(t, nodes, receipts)
  await nodes.powerCut()
  await Promise.all(nodes.names.map(nodes.start))
  await hasAll(t, nodes, receipts)
  t.strictSame(told, [])
})

t.test('a validator that has lost its store, or its votes, catches up and votes; one that is stopped before it may vote follows again', async (t) => {
  const nodes = await started(t)
  const receipts = [await register(nodes, 'validator-0'), await register(nodes, 'validator-0')]
  await nodes.stop('validator-2')
  nodes.loseStore('validator-2')
  await nodes.start('validator-2')
  await hasAll(t, nodes, receipts)

  await nodes.stop('validator-3')
  nodes.loseVotes('validator-3')
  // alone in the world it cannot know what it has signed
  await Promise.all(nodes.names.filter((name) => name !== 'validator-3').map(nodes.stop))
  for (let life = 0; life < 2; life++) {
    await nodes.start('validator-3')
    const { problems, ready } = await clientOf(nodes, 'validator-3').call('node_status', {})
    t.equal(ready, false)
    t.match(problems.join(' '), /no record of its votes/, `life ${life}`)
    await nodes.stop('validator-3')
  }
  await Promise.all(nodes.names.map(nodes.start))
  await allReady(nodes)
  await nodes.stop('validator-1')
  receipts.push(await register(nodes, 'validator-3'))
  t.equal(receipts.at(-1)?.status, 'ok', 'its vote is needed')
})

t.test('a vote log older than its store is noticed: its validator says so, follows first, and votes', async (t) => {
  const nodes = await started(t)
  const receipts = [await register(nodes, 'validator-0')]
  await nodes.stop('validator-3')
  nodes.backUp('validator-3')
  await nodes.start('validator-3')
  await allReady(nodes)
  receipts.push(await register(nodes, 'validator-3'))
  await Promise.all(nodes.names.map(nodes.stop))
  nodes.putBack('validator-3', 'votes')
  // alone it cannot know what it has signed; and what it gave up, it does not take up again in its next life
  for (const said of [/vote log ends with batch \d+, and the store was written when it had \d+/, /no record of its votes/]) {
    await nodes.start('validator-3')
    const { problems, ready } = await clientOf(nodes, 'validator-3').call('node_status', {})
    t.equal(ready, false)
    t.match(problems.join(' '), said)
    await nodes.stop('validator-3')
  }
  await Promise.all(nodes.names.map(nodes.start))
  await allReady(nodes)
  await hasAll(t, nodes, receipts)
  await nodes.stop('validator-1')
  t.equal((await register(nodes, 'validator-3')).status, 'ok', 'its vote is needed, and given')
  // put back once more, the copy is of a log that was given up
  await Promise.all(nodes.names.map(nodes.stop))
  nodes.putBack('validator-3', 'votes')
  await nodes.start('validator-3')
  t.match((await clientOf(nodes, 'validator-3').call('node_status', {})).problems.join(' '), /not the one that the store was written beside/)
})

t.test('a set of validators that is scheduled survives power cuts of everybody before, at and after its activation', async (t) => {
  const window = 4
  const nodes = createAssembled({ preset: { ...smallPreset, consensus: { ...smallPreset.consensus, window, checkpointInterval: 2 } } })
  t.teardown(nodes.stopAll)
  await Promise.all(nodes.names.map(nodes.start))
  await allReady(nodes)
  const { chainId } = nodes.node('validator-0')
  const governed = async (office: string, kind: 'governance.propose' | 'governance.vote', payload: never): Promise<ReceiptJson> => {
    const governor = walletFromSeed(seedOf(office))
    return submitAndWait(clientOf(nodes, 'validator-0'), await signTransaction(buildTransaction({ chain: chainId, kind, sender: governor, payload }), [governor]), { timeoutMs: 60_000 })
  }
  const action: Action = { type: 'changeValidators', changes: [{ type: 'setMinimum', organisation: 'busan', minimum: 2 }] }
  await governed('governor-busan', 'governance.propose', { action, expiresMs: Date.now() + 600_000 } as never)
  await governed('governor-busan', 'governance.vote', { proposal: 1, vote: 'yes' } as never)
  const receipts = [await governed('governor-bnk', 'governance.vote', { proposal: 1, vote: 'yes' } as never)]
  const activation = (receipts[0] as ReceiptJson).height + window + 1
  const minimumAt = async (name: string, height: number): Promise<unknown> => (await clientOf(nodes, name).call('chain_getValidators', { height })).set.minimums.find(({ organisation }) => organisation === 'busan')?.minimum
  // a cut after the decision, with the activation next, with it just made, and a block later
  for (const head of [activation - window - 1, activation - 1, activation, activation + 1]) {
    while ((receipts.at(-1) as ReceiptJson).height < head) receipts.push(await register(nodes, 'validator-0'))
    await nodes.powerCut()
    await Promise.all(nodes.names.map(nodes.start))
    await hasAll(t, nodes, receipts)
    for (const name of nodes.names) t.strictSame([await minimumAt(name, activation - 1), await minimumAt(name, activation)], [1, 2], `${name} after the cut at ${head}`)
  }
  t.equal((await register(nodes, 'validator-2')).status, 'ok')
})

t.test('a data folder put back whole from an older copy: its validator hears of votes that it does not know of, says so, and follows before it votes', async (t) => {
  const told: string[] = []
  const nodes = await started(t, told)
  await register(nodes, 'validator-0')
  await nodes.stop('validator-3')
  nodes.backUp('validator-3')
  await nodes.start('validator-3')
  await allReady(nodes)
  // so that no block is final without the vote of validator-3
  await nodes.stop('validator-2')
  const receipts = [await register(nodes, 'validator-0'), await register(nodes, 'validator-1')]
  await nodes.start('validator-2')
  await allReady(nodes)
  await hasAll(t, nodes, receipts)
  await nodes.stop('validator-3')
  await nodes.start('validator-3')
  await allReady(nodes)
  t.strictSame(told, [], 'an ordinary restart finds its votes')
  await nodes.stop('validator-3')
  nodes.putBack('validator-3', 'all')
  await nodes.start('validator-3')
  await allReady(nodes)
  t.equal(told.length, 1)
  t.match(told[0], /^validator-3: others hold a (commit|checkpoint) vote of this validator for block \d+/)
  await hasAll(t, nodes, receipts)
  await nodes.stop('validator-1')
  t.equal((await register(nodes, 'validator-3')).status, 'ok', 'its vote is needed, and given')
  for (const name of ['validator-0', 'validator-2', 'validator-3']) t.strictSame((await clientOf(nodes, name).call('chain_getEvidence', {})).items, [], `${name} has seen no contradiction`)
})
