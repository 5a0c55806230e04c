// What is on the wire, looked at from outside.
import { decodeMessage, type Message } from '../../../consensus/messages.ts'
import { DongbaekError } from '../../../primitives/errors.ts'

export function tryDecode(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (!(error instanceof DongbaekError)) throw error
    return undefined
  }
}
