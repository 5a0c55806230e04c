// The messages of one channel that wait for one peer: bounded, gathered into few writes, and paused while the stream is full.
import { encodeFrames, frameHeaderBytes, heartbeatFrame } from './frames.ts'
import { flushBytesMax, type ChannelLimits } from './limits.ts'

/** The writable end of a stream. `write` takes all of the bytes; afterwards `full` says whether to wait for drained(). */
export interface Sink {
  write(bytes: Uint8Array): void
  full(): boolean
}

export interface Outbox {
  /** False when there is no sink or no room, and counted. Never throws. */
  push(message: Uint8Array): boolean
  attach(sink: Sink): void
  /** Drops and counts what still waits. */
  detach(): void
  /** The sink takes more. */
  drained(): void
  /** Writes an empty frame when nothing waits. */
  heartbeat(): void
  status(): { readonly queuedMessages: number; readonly queuedBytes: number; readonly sentMessages: number; readonly droppedMessages: number }
}

/** `onWritten` is told the bytes of each write; `onBroken` that the sink threw, after which it is detached. */
export function createOutbox(limits: ChannelLimits, onWritten: (bytes: number) => void, onBroken: (error: unknown) => void): Outbox {
  let queue: Uint8Array[] = []
  let next = 0
  let queuedBytes = 0
  let sentMessages = 0
  let droppedMessages = 0
  let sink: Sink | undefined
  let scheduled = false

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    const run = (): void => {
      scheduled = false
      flush()
    }
    if (limits.flush === 'microtask') queueMicrotask(run)
    else setImmediate(run)
  }

  /** The next messages up to flushBytesMax, or one larger one. */
  function gather(): Uint8Array[] {
    const messages: Uint8Array[] = []
    let bytes = 0
    while (next < queue.length) {
      const message = queue[next] as Uint8Array
      if (messages.length > 0 && bytes + message.length > flushBytesMax) break
      messages.push(message)
      bytes += message.length + frameHeaderBytes
      queuedBytes -= message.length
      next++
    }
    if (next === queue.length) {
      queue = []
      next = 0
    } else if (next > 1_024) {
      queue = queue.slice(next)
      next = 0
    }
    return messages
  }

  function write(target: Sink, bytes: Uint8Array): boolean {
    try {
      target.write(bytes)
      onWritten(bytes.length)
      return true
    } catch (error) {
      detach()
      onBroken(error)
      return false
    }
  }

  function flush(): void {
    while (sink !== undefined && next < queue.length && !sink.full()) {
      const messages = gather()
      if (write(sink, encodeFrames(messages))) sentMessages += messages.length
      else droppedMessages += messages.length
    }
  }

  function detach(): void {
    sink = undefined
    droppedMessages += queue.length - next
    queue = []
    next = 0
    queuedBytes = 0
  }

  return {
    push(message) {
      const fits =
        sink !== undefined &&
        message.length > 0 &&
        message.length <= limits.messageBytesMax &&
        queue.length - next < limits.outgoingMessagesMax &&
        queuedBytes + message.length <= limits.outgoingBytesMax
      if (!fits) {
        droppedMessages++
        return false
      }
      queue.push(message)
      queuedBytes += message.length
      schedule()
      return true
    },
    attach(newSink) {
      sink = newSink
    },
    detach,
    drained: flush,
    heartbeat() {
      if (sink !== undefined && next === queue.length && !sink.full()) write(sink, heartbeatFrame)
      else flush()
    },
    status: () => ({ queuedMessages: queue.length - next, queuedBytes, sentMessages, droppedMessages }),
  }
}
