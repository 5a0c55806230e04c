// Frames on a stream: an unsigned 32-bit length, big-endian, then that many bytes. An empty frame is a heartbeat and is not handed on.
// The length is judged before anything is kept, so a peer can make us hold one message of the allowed size at most.
import { DongbaekError } from '../primitives/errors.ts'

export const frameHeaderBytes = 4

/** What libp2p hands out: one piece of memory or a list of them. */
export type Chunk = Uint8Array | Iterable<Uint8Array>

/** The frames of `messages`, joined. */
export function encodeFrames(messages: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const message of messages) length += frameHeaderBytes + message.length
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  let offset = 0
  for (const message of messages) {
    view.setUint32(offset, message.length)
    out.set(message, offset + frameHeaderBytes)
    offset += frameHeaderBytes + message.length
  }
  return out
}

export const heartbeatFrame: Uint8Array = encodeFrames([new Uint8Array(0)])

export interface FrameReader {
  /**
   * Takes the next bytes of the stream and hands on every frame completed by them, each in memory of its own.
   * Throws `transport/frame-too-large` at a length beyond the bound; the reader is unusable afterwards and ignores what follows.
   */
  push(chunk: Chunk): void
  /** Bytes of an unfinished frame that are held. */
  heldBytes(): number
}

export function createFrameReader(frameBytesMax: number, onFrame: (frame: Uint8Array) => void): FrameReader {
  const header = new Uint8Array(frameHeaderBytes)
  const headerView = new DataView(header.buffer)
  let headerHeld = 0
  let body: Uint8Array | undefined
  let bodyHeld = 0
  let broken = false

  function readHeader(bytes: Uint8Array, at: number): number {
    const taken = Math.min(frameHeaderBytes - headerHeld, bytes.length - at)
    header.set(bytes.subarray(at, at + taken), headerHeld)
    headerHeld += taken
    if (headerHeld < frameHeaderBytes) return taken
    const length = headerView.getUint32(0)
    headerHeld = 0
    if (length > frameBytesMax) {
      broken = true
      throw new DongbaekError('transport/frame-too-large', `a frame of ${length} bytes where at most ${frameBytesMax} are allowed`, { length, frameBytesMax })
    }
    if (length > 0) {
      body = new Uint8Array(length)
      bodyHeld = 0
    }
    return taken
  }

  function readBody(target: Uint8Array, bytes: Uint8Array, at: number): number {
    const taken = Math.min(target.length - bodyHeld, bytes.length - at)
    target.set(bytes.subarray(at, at + taken), bodyHeld)
    bodyHeld += taken
    if (bodyHeld === target.length) {
      body = undefined
      onFrame(target)
    }
    return taken
  }

  function pushBytes(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && !broken) at += body === undefined ? readHeader(bytes, at) : readBody(body, bytes, at)
  }

  return {
    push(chunk) {
      if (chunk instanceof Uint8Array) pushBytes(chunk)
      else for (const bytes of chunk) pushBytes(bytes)
    },
    heldBytes: () => (body === undefined ? headerHeld : bodyHeld + frameHeaderBytes),
  }
}
