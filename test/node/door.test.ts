// The door for clients: what nobody entitled has signed is not ordered, and what is only a block too early waits for it.
import t from 'tap'
import { createAdmission } from '../../node/admission.ts'
import { createMempool } from '../../node/mempool.ts'
import { buildTransaction, createClient, DongbaekError, type KindName, type PayloadOf, randomSeed, type SignedTransaction, signTransaction, submitAndWait, toBase64url, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import type { RunningNode } from '../../node/node.ts'
import { senderBurstSeconds } from '../../node/limits.ts'
import { createAssembled } from '../support/assembled.ts'
import { createCluster } from '../support/cluster.ts'
import { seedOf } from '../support/genesis.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { makeTransaction, testChain, testValidUntilMs } from '../support/transactions.ts'
import { until } from '../support/until.ts'

t.test('what a client waits with at the door, a validator brings in meanwhile', async (t) => {
  const mempool = createMempool()
  const clock = createManualClock()
  const admission = createAdmission({
    chainId: testChain,
    mempool,
    verifier: { verifyBatch: async (items) => items.map(() => true), verifyNow: () => true, stop: async () => {} },
    clock: { ...clock, now: () => testValidUntilMs - 1 },
    hasRun: () => false,
    validityMsMax: () => 60_000,
    onAdded: () => {},
  })
  const { transaction } = makeTransaction('one')
  let refuse: (reason: Error) => void = () => {}
  const client = admission.admit(transaction.bytes, () => new Promise((_, reject) => (refuse = reject)))
  const peer = admission.admit(transaction.bytes)
  await clock.advance(10)
  t.match(await peer, { id: transaction.id, added: { transaction: { id: transaction.id } } })
  refuse(new DongbaekError('tx/key-not-authorised', 'not here'))
  await t.rejects(client, { code: 'tx/key-not-authorised' })
  t.equal(mempool.size().transactions, 1)
})

t.test('the door', async (t) => {
  const cluster = await createCluster({ validators: 2 })
  t.teardown(() => cluster.stopAll())
  const [node] = (await Promise.all(cluster.names.map(cluster.start))) as [RunningNode, RunningNode]
  const client = createClient({ url: node.url })
  const registrar = walletFromSeed(seedOf('registrar'))
  const [citizen, stranger, thief] = [walletFromSeed(randomSeed()), walletFromSeed(randomSeed()), walletFromSeed(randomSeed())]
  const make = <K extends KindName>(kind: K, payload: PayloadOf<K>, signers: readonly [Wallet, ...Wallet[]]): Promise<SignedTransaction> =>
    signTransaction(buildTransaction({ chain: node.chainId, kind, sender: signers[0], countersigners: signers.slice(1), payload }), signers)
  const submit = ({ bytes }: SignedTransaction): Promise<unknown> => client.call('tx_submit', { transaction: toBase64url(bytes) })
  const registration = (of: Wallet, by: Wallet): Promise<SignedTransaction> => make('did.register', { keys: [of.didKey], services: [] }, [of, by])
  const update = (of: Wallet): Promise<SignedTransaction> => make('did.update', { baseVersion: 1, keys: [of.didKey], services: [], recovery: undefined }, [of])
  const isReady = async (): Promise<boolean> => (await client.call('node_status', {})).ready
  await until(isReady, 20_000)
  const head = async (): Promise<number> => (await client.call('chain_head', {})).height

  await t.rejects(submit(await registration(citizen, stranger)), { code: 'tx/key-not-authorised' }, 'a countersigner whom nobody knows')
  await t.rejects(submit(await update(stranger)), { code: 'tx/key-not-authorised' }, 'a sender whom nobody knows')
  await t.rejects(submit(await update(walletFromSeed(randomSeed(), registrar.did))), { code: 'tx/key-not-authorised' }, 'a key that is not of that DID')
  t.equal(await head(), 0, 'none of it was ordered')
  const before = await registration(citizen, registrar)
  const after = await update(citizen)
  const early = submit(after)
  await submit(before)
  await t.resolves(early, 'what comes a moment before the registration of its sender is ordered after it')
  t.equal((await client.call('tx_wait', { id: toBase64url(before.id) })).status, 'ok')
  t.equal((await client.call('tx_wait', { id: toBase64url(after.id) })).status, 'ok')
  await t.resolves(submit(before), 'what has run is harmless to send again')
  await t.rejects(submit(await registration(thief, citizen)), { code: 'did/registrar-missing' }, 'registered, yet no registrar')

  await cluster.stop('validator-1')
  await until(async () => !(await isReady()), 10_000)
  const elsewhere = await update(stranger)
  await t.resolves(submit(elsewhere), 'a node that is out of touch refuses nobody: the DID may have been registered without it')
})

t.test('one sender has a rate, which nobody else can use up', async (t) => {
  const assembled = createAssembled({ senderTransactionsPerSecond: 1 })
  t.teardown(assembled.stopAll)
  await Promise.all(assembled.names.map(assembled.start))
  const { url, chainId } = assembled.node('validator-0')
  const client = createClient({ url, rounds: 1, timeoutMs: 60_000 })
  await until(async () => (await client.call('node_status', {})).ready, 60_000)
  const registrar = walletFromSeed(seedOf('registrar'))
  const [citizen, neighbour] = [walletFromSeed(randomSeed()), walletFromSeed(randomSeed())]
  const submit = ({ bytes }: SignedTransaction): Promise<unknown> => client.call('tx_submit', { transaction: toBase64url(bytes) })
  for (const wallet of [citizen, neighbour]) {
    const unsigned = buildTransaction({ chain: chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } })
    await submitAndWait(client, await signTransaction(unsigned, [wallet, registrar]), { timeoutMs: 20_000 })
  }
  const update = (wallet: Wallet): Promise<SignedTransaction> => signTransaction(buildTransaction({ chain: chainId, kind: 'did.update', sender: wallet, payload: { baseVersion: 1, keys: [wallet.didKey], services: [], recovery: undefined } }), [wallet])
  for (let i = 0; i < 2 * senderBurstSeconds; i++) {
    const { bytes, ...rest } = await update(citizen)
    const forged = Uint8Array.from(bytes)
    forged[forged.length - 1]! ^= 1
    await t.rejects(submit({ ...rest, bytes: forged }), { code: /^(?:tx|codec)\// }, 'forged')
  }
  const ready = await Promise.all(Array.from({ length: 6 * senderBurstSeconds }, async () => update(citizen)))
  const beganMs = performance.now()
  const refused: unknown[] = []
  const taken: SignedTransaction[] = []
  await Promise.all(ready.map(async (each) => submit(each).then(() => taken.push(each), (error: unknown) => refused.push(error))))
  // what had been saved up, and one a second while they came
  const most = senderBurstSeconds + Math.ceil((performance.now() - beganMs) / 1_000)
  t.ok(taken.length > 0 && taken.length <= most && refused.length > 0, `${taken.length} of ${ready.length} taken in, at most ${most}`)
  for (const error of refused) t.match(error, { code: 'mempool/sender-rate', data: { sender: citizen.did, retryAfterMs: Number } })
  await t.resolves(submit(taken[0] as SignedTransaction), 'what was taken in may be sent again')
  await t.resolves(submit(await update(neighbour)), 'and the neighbour is not the citizen')
})
