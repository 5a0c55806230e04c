// Three habits of js-libp2p that cost more than the messages themselves, put right from outside. Measured in docs/performance.md.
//
// Its TCP connection writes every piece of a list by itself, and Noise hands it the two bytes of a length and the sealed text as two pieces: two system calls and two
// packets for each message. And its Yamux answers every frame of data with a window update, a packet of its own; the others (hashicorp/yamux, rust-yamux) wait
// until half of the window is used. And its decoder of lengths finds the end of what has come by throwing an exception, with its stack, for each packet.
import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'

/** The same encrypter, on connections that send each message in one piece, and whose decoder throws nothing for what is still to come. */
export function frugal<C>(create: (components: C) => ConnectionEncrypter): (components: C) => ConnectionEncrypter {
  return (components) => {
    const encrypter = create(components)
    return {
      protocol: encrypter.protocol,
      secureInbound: async (connection, options) => decodesWithoutThrowing(await encrypter.secureInbound(joinPieces(connection), options)),
      secureOutbound: async (connection, options) => decodesWithoutThrowing(await encrypter.secureOutbound(joinPieces(connection), options)),
    }
  }
}

function joinPieces<S extends MessageStream>(connection: S): S {
  const send = connection.send.bind(connection)
  connection.send = (data) => send(data instanceof Uint8Array ? data : data.subarray())
  return connection
}

/** Of Noise's stream; private there. */
interface Decoding {
  readonly decoder: { lengthDecoder: (data: { readonly length: number }) => number }
}

function hasDecoder(connection: object): connection is Decoding {
  return 'decoder' in connection && typeof connection.decoder === 'object' && connection.decoder !== null && 'lengthDecoder' in connection.decoder && typeof connection.decoder.lengthDecoder === 'function'
}

const lengthBytes = 2
/** More than there can be with not even a length there: the decoder waits for more. */
const longest = 0xffff

/** A connection of another make is left as it is. */
function decodesWithoutThrowing<S extends { readonly connection: object }>(secured: S): S {
  const { connection } = secured
  if (!hasDecoder(connection)) return secured
  const { decoder } = connection
  const read = decoder.lengthDecoder
  decoder.lengthDecoder = (data) => (data.length < lengthBytes ? longest : read(data))
  return secured
}

/** Of yamux's stream; private there. */
interface Window {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate: () => void
}

const established = 3

function hasWindow(stream: object): stream is Window {
  return 'sendWindowUpdate' in stream && typeof stream.sendWindowUpdate === 'function' && 'recvWindow' in stream && 'recvWindowCapacity' in stream && 'state' in stream
}

/** On a stream that is open: the peer gets more of the window when half of it is used. A stream of another make is left as it is. */
export function updateWindowRarely(stream: Stream): void {
  const window: object = stream
  if (!hasWindow(window)) return
  const update = window.sendWindowUpdate.bind(window)
  window.sendWindowUpdate = () => {
    if (window.state !== established || 2 * window.recvWindowCapacity <= window.recvWindow) update()
  }
}
