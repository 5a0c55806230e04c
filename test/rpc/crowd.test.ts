// A crowd of subscribers from processes of their own on one node: every event once at each, in the order of the chain. The crowd of 5,000 is npm run bench:crowd.
import t from 'tap'
import { openCrowd } from '../../scripts/crowd/crowd.ts'
import { buildTransaction, createClient, randomSeed, type SignedTransaction, signTransaction, toBase64url, walletFromSeed } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const subscribers = 200
const events = 25

t.test('200 subscribers have every event once', { timeout: 120_000 }, async (t) => {
  const assembled = createAssembled()
  t.teardown(assembled.stopAll)
  await Promise.all(assembled.names.map(assembled.start))
  const { url, chainId } = assembled.node('validator-0')
  const client = createClient({ url })
  await until(async () => (await client.call('node_status', {})).ready, 20_000)
  const registrar = walletFromSeed(seedOf('registrar'))
  const registration = async (): Promise<SignedTransaction> => {
    const wallet = walletFromSeed(randomSeed())
    return signTransaction(buildTransaction({ chain: chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar])
  }
  /** Several blocks, of several transactions each. */
  const live = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 5) {
      const sent = await Promise.all(Array.from({ length: Math.min(5, left) }, registration))
      await Promise.all(sent.map(async ({ bytes }) => client.call('tx_submit', { transaction: toBase64url(bytes) })))
      await Promise.all(sent.map(async ({ id }) => client.call('tx_wait', { id: toBase64url(id), timeoutMs: 20_000 })))
    }
  }
  // some of it is past when they come, some is made while they come, some after
  await live(5)
  const [crowd] = await Promise.all([openCrowd({ url, subscribers, processes: 2, from: '' }), live(10)])
  t.teardown(crowd.close)
  await live(10)
  t.match(await (await fetch(`${url}/metrics`)).text(), new RegExp(`^dongbaek_rpc_sockets ${subscribers}$`, 'm'))
  const { events: seen, delivered, spreadMs, wrong } = await crowd.delivery(events, 20_000)
  t.same(wrong, [])
  t.equal(seen, events)
  t.equal(delivered, events * subscribers)
  t.equal(spreadMs.length, events)
  await crowd.close()
  await until(async () => /^dongbaek_rpc_sockets 0$/m.test(await (await fetch(`${url}/metrics`)).text()))
})
