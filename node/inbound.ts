// What arrives on the consensus channel: decoded within bounds, its signatures listed and checked, and only then handed to the replica.
import type { Message, Verified } from '../consensus/messages.ts'
import { decodeMessage } from '../consensus/messages.ts'
import { asVerified, checksOf, type VerificationContext } from '../consensus/verification.ts'
import type { Height } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError, unreachable } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { inboundChecksMin, inboundRecentMax } from './limits.ts'
import type { InboundMessage, Log, MessageHandler, Transport, Verifier } from './world.ts'

export interface InboundContext {
  readonly verifier: Pick<Verifier, 'verifyBatch' | 'verifyNow'>
  readonly transport: Pick<Transport, 'blame'>
  readonly log: Log
  readonly context: () => VerificationContext
  /** False: not needed any more, so not worth a check. */
  readonly wants: (message: Message) => boolean
  readonly take: (message: Verified<Message>) => void
  /** The peer is under a validator set that is not known here: it claims to have final blocks up to here, and they tell the sets. */
  readonly behind: (claimed: Height, peer: string) => void
}

export function createInbound({ verifier, transport, log, context, wants, take, behind }: InboundContext): MessageHandler {
  // repetitions are frequent while something is lost: the same bytes are not checked twice
  let young = new Set<string>()
  let old = new Set<string>()
  const passed = (key: string): boolean => young.has(key) || old.has(key)
  const remember = (key: string): void => {
    if (young.size >= inboundRecentMax) {
      old = young
      young = new Set()
    }
    young.add(key)
  }

  const handle = async ({ peer, bytes }: InboundMessage): Promise<void> => {
    let message: Message
    try {
      message = decodeMessage(bytes)
    } catch (error) {
      if (!(error instanceof DongbaekError)) throw error
      transport.blame(peer, 'a consensus message that cannot be decoded', { code: error.code })
      return
    }
    if (!wants(message)) return
    const listed = checksOf(message, context())
    if (!listed.ok) {
      if (listed.code === 'malformed') transport.blame(peer, `a ${message.type} that no correct validator makes: ${listed.reason}`, { type: message.type })
      else {
        log.debug('message-of-unknown-set', { peer, type: message.type, reason: listed.reason })
        behind(finalBelow(message), peer)
      }
      return
    }
    const key = toBase64url(sha256(bytes))
    if (!passed(key)) {
      const items = listed.checks.map(({ publicKey, bytes: signed, signature }) => ({ algorithm: 'ed25519' as const, publicKey, message: signed, signature }))
      // the sender's own signature comes first: only a validator can make us check the hundreds that a view change carries
      const own = items[0]
      if ((items.length > inboundChecksMin && own !== undefined && !verifier.verifyNow(own)) || (await verifier.verifyBatch(items)).includes(false)) {
        transport.blame(peer, `a ${message.type} with a signature that does not verify`, { type: message.type })
        return
      }
      remember(key)
    }
    take(asVerified(message))
  }

  // all at once, so that small batches share a parcel; each peer's order may change by it, which consensus allows
  return async (messages) => {
    await Promise.all(
      messages.map((one) =>
        handle(one).catch((error: unknown) => {
          if (!(error instanceof DongbaekError)) throw error
          log.warn('message-not-checked', { peer: one.peer, code: error.code })
        }),
      ),
    )
  }
}

/** What the sender must have final, if the message is honest. */
function finalBelow(message: Message): Height {
  switch (message.type) {
    case 'pre-prepare':
      return (message.header.height - 1) as Height
    case 'prepare':
    case 'commit':
      return (message.height - 1) as Height
    case 'checkpoint':
      return message.content.height
    case 'certified':
      return message.certificate.content.height
    case 'view-change':
    case 'new-view':
      return (message.epoch - 1) as Height
    case 'status':
      return message.committed
    default:
      return unreachable(message)
  }
}
