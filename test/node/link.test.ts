// Two connections between one pair, as when both dial at once: which is used, and that nothing is lost, overtaken or reported down on the way.
import t from 'tap'
import { fromUtf8, utf8 } from '../../primitives/bytes.ts'
import { createInbox } from '../../node/inbox.ts'
import { channelLimits, drainMs, heartbeatMs, heartbeatTickMs, silenceMs } from '../../node/limits.ts'
import { createLink, perChannel, type Link } from '../../node/link.ts'
import { silentLog } from '../../node/log.ts'
import { channels, type MessageHandler } from '../../node/world.ts'
import { createManualClock, settled, type ManualClock } from '../support/manual-clock.ts'
import { pairConnections, type End } from '../support/paired-connections.ts'
import { until } from '../support/until.ts'

interface Side {
  readonly link: Link
  readonly got: string[]
  readonly events: string[]
  /** What each handed-up message waits for. */
  handler: MessageHandler | undefined
  see(end: End): void
}

function side(clock: ManualClock, smaller: boolean): Side {
  const got: string[] = []
  const events: string[] = []
  const inboxes = perChannel((channel) => createInbox(channel, channelLimits[channel], clock, silentLog))
  const link = createLink(
    { name: 'peer', publicKey: new Uint8Array(32), addresses: [] },
    {
      clock,
      inboxes,
      protocolOf: (channel) => channel,
      heartbeatMs,
      silenceMs,
      ownKeySmaller: smaller,
      onUp: () => void events.push('up'),
      onDown: (wasUp) => wasUp && events.push('down'),
      onOffence: (reason) => void events.push(reason),
    },
  )
  const made: Side = {
    link,
    got,
    events,
    handler: undefined,
    see(end) {
      link.adopt(end.connection)
      end.onStream((stream) => channels.forEach((channel) => channel === stream.protocol && link.accept(channel, stream, end.connection)))
    },
  }
  inboxes.consensus.onMessages(async (messages) => {
    messages.forEach(({ bytes }) => got.push(fromUtf8(bytes)))
    await made.handler?.(messages)
  })
  return made
}

function world(): { clock: ManualClock; a: Side; b: Side; pass: (ms: number) => Promise<void> } {
  const clock = createManualClock()
  const a = side(clock, true)
  const b = side(clock, false)
  const pass = async (ms: number): Promise<void> => {
    for (let gone = 0; gone < ms; gone += heartbeatTickMs) {
      await clock.advance(heartbeatTickMs)
      for (const { link } of [a, b]) link.tick(false)
      for (let turn = 0; turn < 4; turn++) await settled()
    }
  }
  return { clock, a, b, pass }
}

const orders: readonly (readonly string[])[] = (function all(left: readonly string[]): string[][] {
  return left.length === 0 ? [[]] : left.flatMap((one) => all(left.filter((other) => other !== one)).map((rest) => [one, ...rest]))
})(['a first', 'a second', 'b first', 'b second'])

for (const pauseMs of [0, heartbeatTickMs, 2_500]) {
  t.test(`both dial at once, the connections are seen ${pauseMs} ms apart in every order, within what silence allows: one remains, nothing is lost`, async (t) => {
    for (const order of orders) {
      const { a, b, pass } = world()
      // the smaller key's, which is to remain, and the larger key's
      const first = pairConnections()
      const second = pairConnections()
      const sent: { readonly a: string[]; readonly b: string[] } = { a: [], b: [] }
      const talk = (): void => {
        for (const [from, list] of [[a, sent.a], [b, sent.b]] as const)
          for (let i = 0; i < 3; i++) if (from.link.isUp() && from.link.send('consensus', utf8(`message ${list.length}`))) list.push(`message ${list.length}`)
      }
      const see: Record<string, () => void> = {
        'a first': () => a.see(first.dialler),
        'a second': () => a.see(second.listener),
        'b first': () => b.see(first.listener),
        'b second': () => b.see(second.dialler),
      }
      // a stream that comes before the connection is seen waits, as it does in libp2p
      for (const step of order) {
        see[step]?.()
        for (let turn = 0; turn < 12; turn++) {
          await settled()
          talk()
        }
        await pass(pauseMs)
        talk()
      }
      await pass(heartbeatMs + 2 * heartbeatTickMs)
      talk()
      await pass(heartbeatTickMs)
      const name = order.join(', ')
      t.same([a.events, b.events], [['up'], ['up']], `${name}: up once`)
      t.same(b.got, sent.a, `${name}: b has all of a's in order`)
      t.same(a.got, sent.b, `${name}: a has all of b's in order`)
      t.ok(sent.a.length > 3 && sent.b.length > 3)
      t.same([a.link.connection() === first.dialler.connection, b.link.connection() === first.listener.connection], [true, true], `${name}: the smaller key's is used`)
      t.same([second.dialler.isOpen(), second.listener.isOpen()], [false, false], `${name}: the other is closed`)
    }
  })
}

t.test('a peer that does not read loses nothing by a change of connection', async (t) => {
  const { a, b, pass } = world()
  let go = (): void => {}
  b.handler = () => new Promise<void>((resolve) => void (go = resolve))
  const first = pairConnections()
  const second = pairConnections()
  a.see(second.listener)
  b.see(second.dialler)
  await pass(heartbeatTickMs)
  const count = channelLimits.consensus.inboundMessagesMax + 2_000
  const sent = Array.from({ length: count }, (_, i) => `message ${i}`)
  for (const text of sent.slice(0, -1_000)) t.equal(a.link.send('consensus', utf8(text)), true)
  await pass(heartbeatTickMs)
  a.see(first.dialler)
  b.see(first.listener)
  await pass(4 * heartbeatTickMs)
  for (const text of sent.slice(-1_000)) t.equal(a.link.send('consensus', utf8(text)), true)
  b.handler = undefined
  go()
  await pass(heartbeatMs + 2 * heartbeatTickMs)
  t.same(b.got, sent)
  t.same([a.events, b.events], [['up'], ['up']])
  t.equal(second.listener.isOpen(), false)
})

t.test('a preferred connection that only one side has does no harm', async (t) => {
  const { a, b, pass } = world()
  const first = pairConnections()
  const second = pairConnections()
  a.see(second.listener)
  b.see(second.dialler)
  await pass(heartbeatTickMs)
  first.hold()
  a.see(first.dialler)
  await pass(heartbeatTickMs)
  t.equal(a.link.send('consensus', utf8('one')), true)
  await settled()
  t.same(b.got, ['one'], 'written where the streams are open')
  first.listener.connection.abort(new Error('the handshake took too long'))
  first.release()
  await pass(2 * heartbeatTickMs)
  a.link.send('consensus', utf8('two'))
  await pass(heartbeatTickMs)
  t.same(b.got, ['one', 'two'])
  t.same([a.events, b.events], [['up'], ['up']])
})

t.test('a peer that restarted is not kept out by a dead connection, noticed or not', async (t) => {
  for (const noticed of [true, false]) {
    const { clock, a, b, pass } = world()
    const first = pairConnections()
    a.see(first.dialler)
    b.see(first.listener)
    await pass(heartbeatTickMs)
    first.hold()
    const again = side(clock, false)
    const second = pairConnections()
    const { bytesOut } = a.link.status()
    a.see(second.listener)
    t.ok(a.link.status().bytesOut > bytesOut, 'written to, so that the system of a machine that is up again answers with a reset')
    await pass(2 * heartbeatTickMs)
    t.equal(second.listener.isOpen(), true, 'kept, as long as nothing is heard on the preferred one')
    again.see(second.dialler)
    await pass(heartbeatTickMs)
    t.equal(again.link.send('consensus', utf8('hello')), true)
    await settled()
    await settled()
    t.same(a.got, ['hello'], 'read at once')
    if (noticed) first.dialler.connection.abort(new Error('reset'))
    else await pass(silenceMs)
    await pass(heartbeatTickMs)
    t.equal(a.link.send('consensus', utf8('back')), true)
    await pass(heartbeatTickMs)
    t.same(again.got, ['back'])
    t.same([a.events, again.events], [['up', 'down', 'up'], ['up']])
    t.equal(b.got.length, 0)
  }
})

t.test('a flood on the new connection does not keep a dead one', async (t) => {
  const { clock, a, b, pass } = world()
  const first = pairConnections()
  a.see(first.dialler)
  b.see(first.listener)
  await pass(heartbeatTickMs)
  first.hold()
  const again = side(clock, false)
  const second = pairConnections()
  a.see(second.listener)
  again.see(second.dialler)
  await pass(heartbeatTickMs)
  const burst = channelLimits.consensus.inboundMessagesMax + 100
  for (let tick = 1; tick < silenceMs / heartbeatTickMs + 2; tick++) {
    for (let i = 0; i < burst; i++) again.link.send('consensus', utf8('x'))
    // paused and resumed on the way, in no time of this clock
    await until(() => a.got.length === tick * burst)
    await pass(heartbeatTickMs)
  }
  t.same(a.events, ['up', 'down', 'up'])
  t.equal(a.link.connection() === second.listener.connection, true)
})

t.test('what was written on the old connection is read first; after a while the order is given up, the messages are not', async (t) => {
  for (const late of [false, true]) {
    const { a, b, pass } = world()
    const first = pairConnections()
    const second = pairConnections()
    a.see(second.listener)
    b.see(second.dialler)
    await pass(heartbeatTickMs)
    second.hold()
    a.link.send('consensus', utf8('one'))
    a.see(first.dialler)
    b.see(first.listener)
    await pass(heartbeatTickMs)
    t.equal(a.link.send('consensus', utf8('two')), true)
    await pass(heartbeatTickMs)
    t.same(b.got, [])
    if (late) await pass(drainMs)
    second.release()
    await pass(heartbeatMs + 2 * heartbeatTickMs)
    t.same(b.got, late ? ['two', 'one'] : ['one', 'two'])
    t.same([a.events, b.events], [['up'], ['up']])
    t.equal(second.listener.isOpen(), false)
  }
})

t.test('the preferred connection breaks while the old one is still being read: the old one is opened anew', async (t) => {
  const { a, b, pass } = world()
  let go = (): void => {}
  b.handler = () => new Promise<void>((resolve) => void (go = resolve))
  const first = pairConnections()
  const second = pairConnections()
  a.see(second.listener)
  b.see(second.dialler)
  await pass(heartbeatTickMs)
  for (let i = 0; i < channelLimits.consensus.inboundMessagesMax + 1_000; i++) a.link.send('consensus', utf8('x'))
  await pass(heartbeatTickMs)
  a.see(first.dialler)
  b.see(first.listener)
  await pass(heartbeatTickMs)
  first.dialler.connection.abort(new Error('cut'))
  await pass(heartbeatTickMs)
  b.handler = undefined
  go()
  await pass(2 * heartbeatTickMs)
  t.same(a.events, ['up', 'down', 'up'])
  a.link.send('consensus', utf8('after'))
  await pass(heartbeatTickMs)
  t.equal(b.got.at(-1), 'after')
})

t.test('of two in one direction the newer is used', async (t) => {
  const { clock, a, b, pass } = world()
  const old = pairConnections()
  a.see(old.listener)
  b.see(old.dialler)
  await pass(heartbeatTickMs)
  old.hold()
  const again = side(clock, false)
  const newer = pairConnections()
  a.see(newer.listener)
  again.see(newer.dialler)
  await pass(heartbeatTickMs)
  a.link.send('consensus', utf8('hello'))
  await pass(heartbeatTickMs)
  t.same(again.got, ['hello'])
  t.same(a.events, ['up', 'down', 'up'])
  t.equal(old.listener.isOpen(), false)
})

t.test('removal ends both connections, and nothing comes up again', async (t) => {
  const { a, b, pass } = world()
  const first = pairConnections()
  const second = pairConnections()
  a.see(first.dialler)
  a.see(second.listener)
  b.see(second.dialler)
  await settled()
  a.link.forget(new Error('not known any more'))
  await pass(2 * heartbeatTickMs)
  t.same([first.dialler.isOpen(), second.listener.isOpen(), a.link.isHeld(), b.link.isHeld()], [false, false, false, false])
  t.notOk(a.link.isUp())
})
