// The messages of one channel on their way up: a bounded queue a peer, emptied in turns, so that the flood of one peer costs the others
// at most one delivery's share. A peer whose queue is full is paused: its stream is not read, and TCP pushes back.
import { codeOf } from '../primitives/errors.ts'
import type { ChannelLimits } from './limits.ts'
import type { Channel, Clock, InboundMessage, Log, MessageHandler } from './world.ts'

export interface InboxPeer {
  /** Takes every message given (a chunk already read must go somewhere); asks to pause once over the bound. */
  push(message: Uint8Array): void
  receivedMessages(): number
  /** Forgets what waits. */
  clear(): void
}

export interface Inbox {
  /** `pause` and `resume` are called in turn. */
  peer(name: string, flow: { readonly pause: () => void; readonly resume: () => void }): InboxPeer
  onMessages(handler: MessageHandler): void
  /** No handler is called afterwards. */
  stop(): void
}

interface Queue {
  readonly name: string
  readonly flow: { readonly pause: () => void; readonly resume: () => void }
  messages: Uint8Array[]
  bytes: number
  received: number
  paused: boolean
}

export function createInbox(channel: Channel, limits: ChannelLimits, clock: Pick<Clock, 'soon'>, log: Log): Inbox {
  /** Those with messages, in the order of their turn. */
  const waiting = new Set<Queue>()
  let handler: MessageHandler | undefined
  let delivering = false
  let scheduled = false
  let stopped = false

  function take(queue: Queue, into: InboundMessage[]): void {
    let bytes = 0
    let count = 0
    while (count < queue.messages.length && count < limits.deliveryMessagesMax) {
      const message = queue.messages[count] as Uint8Array
      if (count > 0 && bytes + message.length > limits.deliveryBytesMax) break
      into.push({ peer: queue.name, bytes: message })
      bytes += message.length
      count++
    }
    queue.messages = queue.messages.slice(count)
    queue.bytes -= bytes
    if (queue.paused && queue.bytes <= limits.inboundBytesMax / 2 && queue.messages.length <= limits.inboundMessagesMax / 2) {
      queue.paused = false
      queue.flow.resume()
    }
  }

  async function deliver(): Promise<void> {
    delivering = true
    const messages: InboundMessage[] = []
    const turn = [...waiting]
    waiting.clear()
    for (const queue of turn) {
      take(queue, messages)
      if (queue.messages.length > 0) waiting.add(queue)
    }
    try {
      // without a handler the messages are dropped: world.ts says so
      await handler?.(messages)
    } catch (error) {
      log.error('message-handler-failed', { channel, code: codeOf(error), error })
    }
    delivering = false
    if (waiting.size > 0) schedule()
  }

  function schedule(): void {
    if (scheduled || delivering || stopped) return
    scheduled = true
    clock.soon(() => {
      scheduled = false
      if (!stopped) void deliver()
    })
  }

  return {
    peer(name, flow) {
      const queue: Queue = { name, flow, messages: [], bytes: 0, received: 0, paused: false }
      return {
        push(message) {
          if (stopped) return
          queue.messages.push(message)
          queue.bytes += message.length
          queue.received++
          waiting.add(queue)
          if (!queue.paused && (queue.bytes > limits.inboundBytesMax || queue.messages.length > limits.inboundMessagesMax)) {
            queue.paused = true
            flow.pause()
          }
          schedule()
        },
        receivedMessages: () => queue.received,
        clear() {
          queue.messages = []
          queue.bytes = 0
          waiting.delete(queue)
          if (queue.paused) {
            queue.paused = false
            flow.resume()
          }
        },
      }
    },
    onMessages(newHandler) {
      handler = newHandler
    },
    stop() {
      stopped = true
      waiting.clear()
    },
  }
}
