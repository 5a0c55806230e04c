// GZIP by the platform's streams, for status lists in the form of the W3C.
import { DongbaekError } from '../../../primitives/errors.ts'
import { platform } from '../platform.ts'

/** At most `bytesMax` bytes: a small body may hide a great one. Throws `vc/status-unknown`. */
export async function expand(compressed: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  if (platform.DecompressionStream === undefined) throw new DongbaekError('vc/status-unknown', 'this platform cannot expand status lists; ask a node for the bit')
  const bytes = await read(compressed, new platform.DecompressionStream('gzip'), bytesMax)
  if (bytes === undefined) throw new DongbaekError('vc/status-unknown', `the list has more than ${bytesMax} bytes`)
  return bytes
}

/** Throws `vc/status-unknown` where the platform cannot. */
export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  if (platform.CompressionStream === undefined) throw new DongbaekError('vc/status-unknown', 'this platform cannot compress status lists')
  // GZIP adds 18 bytes, and 5 for each block that does not get smaller
  const out = await read(bytes, new platform.CompressionStream('gzip'), bytes.length + Math.ceil(bytes.length / 1_024) * 5 + 64)
  if (out === undefined) throw new DongbaekError('vc/status-unknown', 'the list did not compress')
  return out
}

/** Undefined when more comes out. */
async function read(bytes: Uint8Array, through: unknown, bytesMax: number): Promise<Uint8Array | undefined> {
  const out = new Uint8Array(bytesMax)
  const reader = new platform.Response(bytes).body.pipeThrough(through).getReader()
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return out.slice(0, length)
      if (value === undefined || length + value.length > out.length) break
      out.set(value, length)
      length += value.length
    }
  } catch (cause) {
    throw new DongbaekError('vc/status-unknown', 'the list is no GZIP', {}, { cause })
  }
  await reader.cancel()
  return undefined
}
