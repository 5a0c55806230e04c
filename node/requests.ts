// Question and answer over one short-lived stream: the asker opens it, writes one frame and half-closes; the other writes one frame and closes.
// The first byte of either says what it is. Both sides bound the sizes, the time and how many run at once, and neither keeps a stream after a failure.
import type { Connection, Stream } from '@libp2p/interface'
import { concatBytes, fromUtf8, utf8 } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { createFrameReader, encodeFrames } from './frames.ts'
import { answerBytesMax, answerTimeoutMs, questionBytesMax, questionTimeoutMs, refusalBytesMax } from './limits.ts'
import type { RequestOptions } from './world.ts'

const asked = 0
const answered = 0
const refused = 1

/** Rejects as Transport.request does, but for the peer's presence. `onBytes` is told what went out and came in. */
export async function ask(
  connection: Connection,
  protocol: string,
  question: Uint8Array,
  options: RequestOptions,
  stop: AbortSignal,
  onBytes: (out: number, into: number) => void,
): Promise<Uint8Array> {
  if (question.length > questionBytesMax) throw new DongbaekError('transport/too-large', `the question has ${question.length} bytes where at most ${questionBytesMax} are allowed`)
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = AbortSignal.any([timeout, stop])
  let stream: Stream | undefined
  try {
    stream = await connection.newStream(protocol, { signal })
    // the bound is the asker's, or room for a refusal's reason where that is more
    const answer = readFrame(stream, 1 + Math.max(Math.min(options.responseBytesMax, answerBytesMax), refusalBytesMax), signal)
    const frame = encodeFrames([concatBytes(Uint8Array.of(asked), question)])
    try {
      stream.send(frame)
      finish(stream, signal)
    } catch (error) {
      // the stream broke: reading it reports that, with the better reason
      stream.abort(asError(error))
    }
    const bytes = await answer
    onBytes(frame.length, bytes.length)
    return openAnswer(bytes, options.responseBytesMax)
  } catch (error) {
    stream?.abort(asError(error))
    if (error instanceof DongbaekError && error.code !== 'transport/frame-too-large') throw error
    if (stop.aborted) throw new DongbaekError('transport/stopped', 'the transport was stopped while a request was under way', {}, { cause: error })
    if (timeout.aborted) throw new DongbaekError('transport/timeout', `no answer within ${options.timeoutMs} ms`, { protocol, timeoutMs: options.timeoutMs }, { cause: error })
    if (codeOf(error) === 'transport/frame-too-large')
      throw new DongbaekError('transport/too-large', `the answer exceeds ${options.responseBytesMax} bytes`, { protocol, responseBytesMax: options.responseBytesMax }, { cause: error })
    throw new DongbaekError('transport/refused', `the peer closed the request: ${asError(error).message}`, { protocol }, { cause: error })
  }
}

function openAnswer(bytes: Uint8Array, responseBytesMax: number): Uint8Array {
  const body = bytes.subarray(1)
  if (bytes[0] === answered) {
    if (body.length > responseBytesMax) throw new DongbaekError('transport/too-large', `the answer exceeds ${responseBytesMax} bytes`, { responseBytesMax })
    return body
  }
  throw new DongbaekError('transport/refused', `the peer refused the request: ${reasonOf(bytes[0], body)}`)
}

function reasonOf(kind: number | undefined, body: Uint8Array): string {
  if (kind !== refused || body.length > refusalBytesMax) return 'an answer of no known form'
  try {
    // printable ASCII only: the text is a stranger's and ends in our log
    return fromUtf8(body).replace(/[^ -~]/g, '?')
  } catch {
    // not UTF-8: the reason is unreadable, the refusal stands
    return 'a reason that is not text'
  }
}

/** Answers one request. Never rejects; what fails ends the stream and is told to `onFailure`. */
export async function serve(
  stream: Stream,
  stop: AbortSignal,
  handler: (question: Uint8Array) => Promise<Uint8Array>,
  onBytes: (out: number, into: number) => void,
  onFailure: (error: unknown) => void,
): Promise<void> {
  try {
    const question = await readFrame(stream, 1 + questionBytesMax, AbortSignal.any([stop, AbortSignal.timeout(questionTimeoutMs)]))
    onBytes(0, question.length)
    if (question[0] !== asked) throw new DongbaekError('transport/malformed', 'a question of no known form')
    const signal = AbortSignal.any([stop, AbortSignal.timeout(answerTimeoutMs)])
    const frame = encodeFrames([await answerOf(question.subarray(1), handler, onFailure)])
    if (signal.aborted) throw new DongbaekError('transport/timeout', `the answer was not ready within ${answerTimeoutMs} ms`)
    stream.send(frame)
    onBytes(frame.length, 0)
    await stream.close({ signal })
  } catch (error) {
    stream.abort(asError(error))
    onFailure(error)
  }
}

async function answerOf(question: Uint8Array, handler: (question: Uint8Array) => Promise<Uint8Array>, onFailure: (error: unknown) => void): Promise<Uint8Array> {
  try {
    const answer = await handler(question)
    if (answer.length > answerBytesMax) throw new DongbaekError('transport/too-large', `the answer has ${answer.length} bytes where at most ${answerBytesMax} are allowed`)
    return concatBytes(Uint8Array.of(answered), answer)
  } catch (error) {
    onFailure(error)
    // the code alone: the sentence of an inner error is for our own log
    return refusal(codeOf(error))
  }
}

/** Refuses without reading the question. */
export function refuse(stream: Stream, reason: string, stop: AbortSignal): void {
  try {
    stream.send(encodeFrames([refusal(reason)]))
    finish(stream, AbortSignal.any([stop, AbortSignal.timeout(questionTimeoutMs)]))
  } catch (error) {
    stream.abort(asError(error))
  }
}

function refusal(reason: string): Uint8Array {
  return concatBytes(Uint8Array.of(refused), utf8(reason).subarray(0, refusalBytesMax))
}

/** Half-closes once everything is written. */
function finish(stream: Stream, signal: AbortSignal): void {
  stream.close({ signal }).catch((error: unknown) => stream.abort(asError(error)))
}

/** The first frame of a stream; rejects when the stream ends before, the frame is too large, or the signal fires. */
function readFrame(stream: Stream, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('close', onClose)
      stream.removeEventListener('remoteCloseWrite', onEnd)
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const reader = createFrameReader(bytesMax, (frame) => settle(() => resolve(frame)))
    const onMessage = (event: { readonly data: Uint8Array | Iterable<Uint8Array> }): void => {
      try {
        reader.push(event.data)
      } catch (error) {
        settle(() => reject(error))
      }
    }
    const onClose = (event: { readonly error?: Error }): void => settle(() => reject(event.error ?? new Error('the stream ended')))
    // data that came with the end of the stream is handed out right after it: look once more before giving up
    const onEnd = (): void => void setImmediate(() => settle(() => reject(new Error('the stream ended before a whole frame'))))
    const onAbort = (): void => settle(() => reject(asError(signal.reason)))
    if (signal.aborted) {
      reject(asError(signal.reason))
      return
    }
    signal.addEventListener('abort', onAbort)
    stream.addEventListener('close', onClose)
    stream.addEventListener('remoteCloseWrite', onEnd)
    stream.addEventListener('message', onMessage)
    if (stream.status !== 'open') onClose({})
  })
}

export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}
