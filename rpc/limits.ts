// Every bound of what a stranger may make the RPC do, each with why.

// ---------------------------------------------------------------- requests

/** A body or a WebSocket message. A batch of ten of the largest transactions (64 KiB, a third more in base64url) fits. */
export const requestBytesMax = 1_048_576
/** Levels of arrays and objects. The deepest honest call has about ten. */
export const jsonDepthMax = 32
/** Calls in one batch. */
export const batchCallsMax = 100
/** Calls of one batch under way at once; they begin in order. */
export const batchParallel = 8
/** Calls of a batch that have not begun by then are answered with `rpc/batch-timeout`. */
export const batchTimeoutMs = 60_000
/** Answers of one batch, together. Beyond, the rest is answered with `rpc/answer-too-large`. A block in full may take most of it. */
export const batchAnswerBytesMax = 32 * 1_048_576
/** An id comes back byte for byte; this bounds what is sent back. */
export const idCharactersMax = 256

/** A call of the administration: none takes more than a word. */
export const adminRequestBytesMax = 4_096

// ---------------------------------------------------------------- connections

/** From the first byte of a request to its last. A body of 1 MiB over a poor mobile line takes some seconds. */
export const requestTimeoutMs = 15_000
/** The same for the header alone. */
export const headersTimeoutMs = 8_000
/** How often Node looks for requests past these. */
export const timeoutTickMs = 1_000
/** A socket without any traffic. Longer than the longest call (tx_wait), which is silent while it waits. */
export const connectionTimeoutMs = 75_000
/** An idle connection between two requests. */
export const keepAliveTimeoutMs = 30_000
export const connectionsMax = 8_192
/** Of one address: a quarter, so that it takes several to fill the server. */
export const connectionsPerAddressDefault = 2_048
/** Requests under way are given this long at a stop; what is left is cut. */
export const stopGraceMs = 5_000

// ---------------------------------------------------------------- work

/** One tx_wait. Clients wait longer by asking again. */
export const waitMsMax = 60_000
export const waitMsDefault = 10_000
/** Keys of one state_proof: each reads about ten pages of the tree. */
export const proofKeysMax = 64
/** A genesis in its encoding; its text is bounded by as much (genesis/genesis.ts). */
export const genesisBytesMax = 16 * 1_048_576
/** A receipt as the leaf of a proof: a batch of a thousand grants has some 200 KiB of events. */
export const receiptLeafBytesMax = 1_048_576
/** Blocks, receipts and events that one page of a feed looks at. The cursor then stands behind them, matched or not. */
export const feedWorkMax = 10_000
/** Feed items of recent blocks kept ready, since every subscriber asks for the same ones: some ten seconds of a busy city, and 10 MB. */
export const feedCacheItemsMax = 10_000
/** Answers of queries kept ready while the head stays, with their questions: 32 MiB at most where the text is not Latin. */
export const answersCharactersMax = 16 * 1_048_576
/** A longer one is made anew each time; the map of a whole city fits. */
export const answerKeptCharactersMax = 1_048_576
/** A cursor further ahead of the head than this is not from this chain. Closer, the node is just behind. */
export const cursorAheadMax = 10_000
/** The body of a post. */
export const bodyBytesMax = 65_536

// ---------------------------------------------------------------- rate

/** Calls a second of one address (IPv6: of one /64), weighed by the cost of the method; many citizens share one address behind a carrier's NAT. */
export const callsPerSecondDefault = 20_000
/** What an address may save up. */
export const callsBurstDefault = 40_000
/** Addresses remembered; beyond, those seen longest ago are forgotten and start full again. */
export const rateAddressesMax = 20_000

/** Of the header that bears a key; ours have 43 characters. */
export const apiKeyCharactersMax = 256
/** Keys that one node has issued; each has a rate of its own. */
export const apiKeysMax = 256

// ---------------------------------------------------------------- WebSocket

export const socketsMax = 6_000
export const subscriptionsPerSocketMax = 32
/** Calls of one socket under way; beyond, the socket is not read. */
export const socketCallsMax = 16
/** Items of one page of a subscription. */
export const subscriptionPageItems = 200
/** A subscription that wants to know how far it is hears of it so often at most: one message for all the blocks that brought nothing. */
export const progressEveryMs = 1_000
/** Sent to a socket and not yet taken by the network. Beyond, its subscriptions pause. */
export const socketBufferedBytesMax = 262_144
/** A reader that has not taken what was sent for this long is told and closed; it resumes from its cursor. */
export const slowReaderMs = 20_000
/** After the close frame, for the peer to answer it: it has what was buffered before to read first. */
export const socketCloseGraceMs = 10_000
/** Ping of an idle socket; no pong by the next one means it is dead. */
export const socketPingMs = 30_000
