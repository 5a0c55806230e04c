// What the simulated validators are charged, all in CPU time unless said. Measured here (calibrate.ts), but for what stands below with its source.

export interface Costs {
  readonly node: string
  /** Encoded bytes of the transaction that all of this is about: a spend with one signature. */
  readonly transactionBytes: number
  /** One Ed25519 verification on the thread that votes. */
  readonly verifyUs: number
  /** One on a worker, and what handing it over costs the thread that votes. */
  readonly workerUs: number
  readonly parcelUs: number
  readonly signUs: number
  /** A message over libp2p, Noise and TCP to one peer, for either side, and of it each byte. */
  readonly messageUs: number
  readonly byteNs: number
  readonly encodeUs: number
  /** A vote that arrives: decoded, its check listed, hashed. Without the signature and the step. */
  readonly inboundUs: number
  /** A step of the replica, by the number of validators. */
  readonly stepUs: Readonly<Record<number, number>>
  /** A transaction that arrives by gossip: decoded, compared, hashed, taken into the mempool. Without the signature. */
  readonly admitUs: number
  /** A transaction of a proposal: its primary's part, and that of the others. */
  readonly proposeUs: number
  readonly judgeUs: number
  /**
   * Execution, state root and store: a transaction, and what a block takes besides. On the thread that votes; on the one that writes LevelDB's batch, which is waited for; and on all
   * others, which nobody waits for (the collector, LevelDB's merging).
   */
  readonly executeUs: number
  readonly executeBlockUs: number
  readonly storeUs: number
  readonly storeBlockUs: number
  readonly batchUs: number
  readonly batchBlockUs: number
  readonly helpersUs: number
  readonly helpersBlockUs: number
  /** Taken out of the mempool. */
  readonly removeUs: number
  /** An append to the vote log: on the thread that votes, on libuv's, and the wait for the disk. Not CPU time: the wait. */
  readonly appendUs: number
  readonly syncUs: number
  readonly syncMs: number
  readonly appendByteNs: number
}

/**
 * A transaction at the validator that a client hands it to, over HTTP and with its receipt: by profile 3.3 % of 377 µs of main thread a transaction, of which each of four validators took a
 * quarter (docs/performance.md of 24 November 2026; 5 % of some 300 µs later).
 */
export const rpcUs = 50
/** Written by the vote log: a usual server's flash, stated and not measured. */
export const diskBytesPerMs = 500_000
/** Length, Yamux, Noise, and the headers of TCP, IP and Ethernet. */
export const frameBytes = 4 + 12 + 18
export const segmentBytes = 1_448
export const segmentHeaderBytes = 66
