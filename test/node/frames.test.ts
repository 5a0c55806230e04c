// Frames, the outgoing queue and the inbox, without a network.
import fc from 'fast-check'
import t from 'tap'
import { concatBytes, utf8 } from '../../primitives/bytes.ts'
import { createFrameReader, encodeFrames, heartbeatFrame } from '../../node/frames.ts'
import { systemClock } from '../../node/clock.ts'
import { createInbox } from '../../node/inbox.ts'
import { channelLimits, flushBytesMax, type ChannelLimits } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { createOutbox } from '../../node/outbox.ts'
import { until } from '../support/until.ts'

t.test('any messages, cut anywhere, come out as they went in; heartbeats do not', async () => {
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(messages, fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 30 }), (sent, sizes) => {
      const stream = concatBytes(heartbeatFrame, encodeFrames(sent), heartbeatFrame)
      const got: Uint8Array[] = []
      const reader = createFrameReader(40, (frame) => got.push(frame))
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = 1 + (sizes[i % sizes.length] as number)
        const piece = stream.slice(at, at + size)
        reader.push(i % 2 === 0 ? piece : [piece.subarray(0, 1), piece.subarray(1)])
        piece.fill(0xee)
        at += size
      }
      return reader.heldBytes() === 0 && Buffer.concat(got).equals(Buffer.concat(sent)) && got.length === sent.length
    }),
  )
})

t.test('a frame beyond the bound is refused on its length alone, and nothing follows', async (t) => {
  const got: Uint8Array[] = []
  const reader = createFrameReader(10, (frame) => got.push(frame))
  reader.push(encodeFrames([new Uint8Array(10)]))
  t.throws(() => reader.push(concatBytes(Uint8Array.of(0, 0, 0, 11), new Uint8Array(11))), { code: 'transport/frame-too-large' })
  reader.push(encodeFrames([new Uint8Array(1)]))
  t.equal(got.length, 1)
  const other = createFrameReader(10, () => {})
  t.throws(() => other.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), { code: 'transport/frame-too-large' })
  t.equal(other.heldBytes(), 0)
})

t.test('the outbox gathers a burst, waits while the stream is full, and bounds what waits', async (t) => {
  const limits: ChannelLimits = { ...channelLimits.consensus, outgoingMessagesMax: 5, outgoingBytesMax: 100, messageBytesMax: 60 }
  const writes: number[] = []
  let full = false
  const outbox = createOutbox(limits, (bytes) => writes.push(bytes), (error) => t.match(error, /broken/))
  t.equal(outbox.push(utf8('nobody there')), false)
  const sink = { write: () => {}, full: () => full }
  outbox.attach(sink)
  t.same(Array.from({ length: 6 }, () => outbox.push(utf8('0123456789'))), [true, true, true, true, true, false], 'by number')
  await Promise.resolve()
  t.same(writes, [5 * 14], 'one write for the burst')
  full = true
  t.same([60, 61, 40, 1, 0].map((size) => outbox.push(new Uint8Array(size))), [true, false, true, false, false], 'by bytes')
  await Promise.resolve()
  outbox.heartbeat()
  t.same(writes.length, 1)
  t.match(outbox.status(), { queuedMessages: 2, queuedBytes: 100, sentMessages: 5, droppedMessages: 5 })
  full = false
  outbox.drained()
  outbox.heartbeat()
  t.same(writes, [70, 108, 4])
  full = true
  outbox.push(new Uint8Array(5))
  outbox.detach()
  t.match(outbox.status(), { queuedMessages: 0, queuedBytes: 0, droppedMessages: 6 })
  outbox.attach({ ...sink, full: () => false, write: () => { throw new Error('broken') } })
  t.equal(outbox.push(utf8('x')), true)
  await Promise.resolve()
  t.match(outbox.status(), { queuedMessages: 0, droppedMessages: 7, sentMessages: 7 })
})

t.test('the outbox cuts a large burst into writes of a bounded size', async (t) => {
  const writes: number[] = []
  const outbox = createOutbox(channelLimits.consensus, (bytes) => writes.push(bytes), (error) => t.fail(String(error)))
  outbox.attach({ write: () => {}, full: () => false })
  for (let i = 0; i < 3_000; i++) outbox.push(new Uint8Array(300))
  outbox.push(new Uint8Array(2 * flushBytesMax))
  outbox.push(new Uint8Array(1))
  await Promise.resolve()
  t.equal(outbox.status().sentMessages, 3_002)
  t.equal(writes.filter((bytes) => bytes > flushBytesMax + 4).length, 1, 'the one message larger than that')
  t.ok(writes.length < 9)
})

t.test('the inbox pauses a peer that is ahead of the handler, and resumes it', async (t) => {
  const limits: ChannelLimits = { ...channelLimits.consensus, inboundMessagesMax: 10, inboundBytesMax: 1_000, deliveryMessagesMax: 4 }
  const inbox = createInbox('consensus', limits, systemClock, silentLog)
  const flow: string[] = []
  let release = (): void => {}
  let got = 0
  inbox.onMessages((messages) => {
    got += messages.length
    return new Promise((resolve) => {
      release = resolve
    })
  })
  const peer = inbox.peer('a', { pause: () => flow.push('pause'), resume: () => flow.push('resume') })
  for (let i = 0; i < 11; i++) peer.push(utf8('x'))
  t.same(flow, ['pause'])
  await until(() => got === 4)
  t.same(flow, ['pause'], '7 of 10 wait still')
  release()
  await until(() => got === 8)
  t.same(flow, ['pause', 'resume'])
  peer.push(new Uint8Array(1_001))
  t.same(flow.at(-1), 'pause', 'by bytes')
  peer.clear()
  t.same(flow.at(-1), 'resume')
  release()
  inbox.stop()
  peer.push(utf8('x'))
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(got, 8)
  t.equal(peer.receivedMessages(), 12)
})
