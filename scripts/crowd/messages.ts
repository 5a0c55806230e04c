// What the crowd and its processes tell each other.

export type ToWorker =
  | { readonly type: 'open'; readonly url: string; readonly from: string; readonly subscribers: number; readonly localAddress: string }
  | { readonly type: 'report' }
  | { readonly type: 'close' }

export interface Report {
  readonly type: 'report'
  /** Of each item, in the order in which all of its sockets have got them. */
  readonly cursors: readonly string[]
  /** When the first and the last of its sockets had each item, ms since the epoch. */
  readonly firstMs: readonly number[]
  readonly lastMs: readonly number[]
  /** Items that the socket with the fewest, and the one with the most, has got. */
  readonly least: number
  readonly most: number
  readonly faults: readonly string[]
}

export type FromWorker = { readonly type: 'opened'; readonly faults: readonly string[] } | Report
