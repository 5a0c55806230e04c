// What js-libp2p does wastefully, put right (node/frugal-wire.ts). That the real transport's windows are updated rarely, and still are, and that its packets make no exception each, is in libp2p.test.ts.
import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface'
import t from 'tap'
import { frugal } from '../../node/frugal-wire.ts'

type Data = Parameters<MessageStream['send']>[0]

t.test('what an encrypter sends in pieces goes to the connection in one', async (t) => {
  const sent: Data[] = []
  // a list of pieces is joined by its own subarray()
  const pieces = { subarray: () => Uint8Array.of(0, 3, 1, 2, 3) } as unknown as Data
  const connection = { send: (data: Data) => sent.push(data) > 0 } as unknown as MessageStream
  const secure = async (stream: MessageStream): Promise<SecuredConnection> => {
    t.equal(stream.send(pieces), true)
    t.equal(stream.send(Uint8Array.of(4)), true)
    return { connection: stream } as SecuredConnection
  }
  const encrypter: ConnectionEncrypter = { protocol: '/test', secureInbound: secure, secureOutbound: secure }
  const wrapped = frugal(() => encrypter)(undefined)
  t.equal(wrapped.protocol, '/test')
  for (const way of ['secureInbound', 'secureOutbound'] as const) {
    sent.length = 0
    await wrapped[way]({ ...connection })
    t.same(sent, [Uint8Array.of(0, 3, 1, 2, 3), Uint8Array.of(4)])
  }
})
