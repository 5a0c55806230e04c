// The one error class for a world that fails: a stable code to compare by, a sentence that says what happened and what to do, data for the reader.
// Rules that refuse return a value, misconduct of a peer is an output; neither throws this.

export type ErrorData = Readonly<Record<string, string | number | boolean>>

export class DongbaekError extends Error {
  readonly code: string
  readonly data: ErrorData

  constructor(code: string, message: string, data: ErrorData = {}, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'DongbaekError'
    this.code = code
    this.data = data
  }
}

/** A broken assertion is our own bug: it stops the process and is never caught. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(`assertion failed: ${message}`)
    this.name = 'AssertionError'
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value ${String(value)}`)
}

/** The code of any thrown value, for logs and answers. */
export function codeOf(error: unknown): string {
  return error instanceof DongbaekError ? error.code : 'internal'
}
