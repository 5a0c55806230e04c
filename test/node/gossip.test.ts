// When all that has come in by gossip is looked through.
import t from 'tap'
import { systemClock } from '../../node/clock.ts'
import { createGossip, type GossipContext } from '../../node/gossip.ts'
import { channelLimits } from '../../node/limits.ts'
import { createInbox } from '../../node/inbox.ts'
import { silentLog } from '../../node/log.ts'
import { makeTransaction } from '../support/transactions.ts'

t.test('gossip is settled once what has come in, also meanwhile, is admitted or refused', async (t) => {
  const sent: Uint8Array[] = []
  const admitted: (() => void)[] = []
  const context: GossipContext = {
    transport: { send: (_peer, _channel, message) => (sent.push(message), true), blame: () => {} },
    admission: { admit: (encoded) => new Promise((resolve) => admitted.push(() => resolve({ id: encoded as never, added: undefined }))) },
    clock: systemClock,
    log: silentLog,
    validators: () => ['other'],
    everybody: () => ['other'],
    takeBody: async () => {},
    takeHead: () => {},
  }
  const gossip = createGossip(context)
  await gossip.settled()
  gossip.greet('other', [makeTransaction('one').transaction.bytes])
  gossip.greet('other', [makeTransaction('two').transaction.bytes])
  const inbox = createInbox('gossip', channelLimits.gossip, systemClock, silentLog)
  inbox.onMessages(gossip.handler)
  const peer = inbox.peer('other', { pause: () => {}, resume: () => {} })
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))
  peer.push(sent[0] as Uint8Array)
  await turn()
  peer.push(sent[1] as Uint8Array)
  let isSettled = false
  const settled = gossip.settled().then(() => (isSettled = true))
  await turn()
  t.equal(isSettled, false, 'the first is under way')
  admitted[0]?.()
  await turn()
  t.equal(admitted.length, 2)
  t.equal(isSettled, false, 'the second is under way')
  admitted[1]?.()
  await settled
})
