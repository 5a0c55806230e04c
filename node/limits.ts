// Every bound of this node's own queues, waits and files, each with why. Bounds that decide what is valid, the same on all nodes, stand in primitives/limits.ts.
import { blockBytesMax, blockTransactionsMax, consensusMessageBytesMax } from '../primitives/limits.ts'
import type { Channel } from './world.ts'

// ---------------------------------------------------------------- transport: channels

export interface ChannelLimits {
  /** One message. Checked on the length alone, before a byte of it is kept. */
  readonly messageBytesMax: number
  /** Queued for one peer that does not read, or reads slowly. Beyond, new messages are dropped. */
  readonly outgoingBytesMax: number
  readonly outgoingMessagesMax: number
  /** Received from one peer and not yet handed up. Beyond, the peer's stream is not read until half is gone. */
  readonly inboundBytesMax: number
  readonly inboundMessagesMax: number
  /** Of one peer in one delivery, so that a flood of one delays the others by this much work only. */
  readonly deliveryBytesMax: number
  readonly deliveryMessagesMax: number
  /** Send at the end of the running callback (a vote's latency counts) or of the event loop's turn (more is gathered). */
  readonly flush: 'microtask' | 'turn'
}

export const channelLimits: Readonly<Record<Channel, ChannelLimits>> = {
  consensus: {
    messageBytesMax: consensusMessageBytesMax,
    // Four of the largest (new views); votes are some 300 bytes, so the count is what bounds those: several full windows.
    outgoingBytesMax: 4 * consensusMessageBytesMax,
    outgoingMessagesMax: 8_192,
    inboundBytesMax: 2 * consensusMessageBytesMax,
    inboundMessagesMax: 4_096,
    // At 42 µs a signature 256 votes are about 11 ms of checking.
    deliveryBytesMax: consensusMessageBytesMax,
    deliveryMessagesMax: 256,
    flush: 'microtask',
  },
  gossip: {
    messageBytesMax: 1_048_576,
    // A peer that stalls for two seconds at 10,000 transactions a second of 300 bytes loses none.
    outgoingBytesMax: 8 * 1_048_576,
    outgoingMessagesMax: 32_768,
    inboundBytesMax: 4 * 1_048_576,
    inboundMessagesMax: 8_192,
    // Some 250 transactions of each peer, 15 ms of reading: votes pass in between.
    deliveryBytesMax: 65_536,
    deliveryMessagesMax: 256,
    flush: 'turn',
  },
}

/** Messages gathered into one write. Noise cuts at 64 KiB anyway; four of those keep a slow peer's first byte near. */
export const flushBytesMax = 262_144

// ---------------------------------------------------------------- transport: requests

/** A question: at most the ids of a whole block. */
export const questionBytesMax = 262_144
/** An answer, whatever the asker allows: a block with its certificate, twice. */
export const answerBytesMax = 2 * blockBytesMax
/** The reason of a refusal, in UTF-8 bytes: for the asker's log. */
export const refusalBytesMax = 256
/** Requests of one peer that we work on at once. With the largest answers, 128 MiB of one hostile peer. */
export const inboundRequestsMax = 16
/** Our requests to one peer under way at once. Less than what it works on, so that two callers do not refuse each other. */
export const outgoingRequestsMax = 12
/** From the opening of a request's stream to its whole question. */
export const questionTimeoutMs = 5_000
/** From the question to the last byte of our answer. */
export const answerTimeoutMs = 30_000

// ---------------------------------------------------------------- transport: connections

/** First pause before dialling again, doubled up to the cap; each is shortened by up to half, at random, so that nodes do not dial in step. */
export const redialFirstMs = 250
/** A peer that is back is dialled within this time. */
export const redialCapMs = 3_000
/** One address: connecting, Noise and Yamux. */
export const dialTimeoutMs = 3_000
/** A dialler that has not proven its key by then is cut off: it holds one of pendingConnectionsMax places. */
export const handshakeTimeoutMs = 3_000
/** Opening our streams on a new connection. */
export const streamOpenTimeoutMs = 5_000
/** A connection that carried nothing for this long carries an empty frame. */
export const heartbeatMs = 2_500
/** Nothing heard for this long, where the peer sends a heartbeat at least: it is dead, or the way to it. */
export const silenceMs = 9_000
/** How often the two above are looked at. */
export const heartbeatTickMs = 500
/** A tick this late means that we ourselves were stopped, and that silence proves nothing. */
export const tickLateMs = 2_000
/** Between two connections, what was written on the old one is read before the new one is written on; after this long the order is given up, not the messages. Less than silenceMs. */
export const drainMs = 5_000
/** After an offence a peer's connections are refused for this long, doubled by each further one up to the cap. Short: a validator is needed. */
export const holdOffFirstMs = 1_000
export const holdOffCapMs = 30_000
/** An offence is forgotten when this long went by without another. */
export const offenceMemoryMs = 600_000
/** New connections of one address a second. Validators of a test network share one; each costs a handshake of about 1 ms. */
export const inboundConnectionsPerSecond = 64
export const pendingConnectionsMax = 64
/** Known peers with one connection each, and as much again for races. */
export const connectionsMax = 512
/** What one stream may send unread, and what we may hold of it. Yamux must never grow its window beyond the buffer or the stream breaks. */
export const streamWindowBytesMax = 1_048_576
export const streamBufferBytesMax = 4 * 1_048_576
/** Streams of one connection: two channels twice, and the requests. */
export const inboundStreamsMax = 64
export const peersMax = 256

// ---------------------------------------------------------------- proposing

/** What came while a block was under way is ordered when that is final, and no sooner than this after it was made: fifty blocks a second at the most leave a processor time for else. */
export const paceGapMs = 20
/** While blocks are under way, the next one waits this long for them at the least. Two links of 10 ms and a sync make a block final in less; over longer ones several are under way. */
export const paceMinMs = 50
/** And when blocks take longer than the quickest did, the processors are busy: then it waits as long as that is more, up to this. A few large blocks cost less than many small ones. */
export const paceMaxMs = 200
/** But never more of a view's timeout than this: who waits for progress must not take the wait for a fault. */
export const paceShareOfView = 0.2
/** The quickest is that of so many blocks, or twice so many: a set of validators that lies further apart is slower for good. */
export const paceBlocksRemembered = 512

// ---------------------------------------------------------------- vote log

/** A segment is closed at this size; reading one back at start is one allocation. */
export const voteSegmentBytesMax = 16 * 1_048_576
/** Records written and synced at once; each such batch is one checksummed unit. */
export const voteBatchBytesMax = 4 * 1_048_576
/** The payload of the largest block that may be voted for: envelopes, references and their framing. A larger record would stop every validator that gets it. */
export const voteRecordBytesMax = Math.max(consensusMessageBytesMax, blockBytesMax + blockTransactionsMax * 48) + 1_024
/** A batch up to this size is written on the calling thread; its sync never is. */
export const voteWriteInlineMax = 65_536
/** Entries of the vote log that wait for one that is synced. Who has nothing to sync for writes them by so many. */
export const unwrittenMax = 16
/** Appends that wait for the disk. The driver waits for each step, so this many mean a bug or a dead disk. */
export const voteAppendsWaitingMax = 10_000

// ---------------------------------------------------------------- store

/** Entries of one page of a range. */
export const storePageMax = 10_000
/** Entries at a time of those who go through a range. */
export const storePageEntries = 100
/** Who reads a range or holds the store at once; a batch waits for these. */
export const storeReadersMax = 8
/** Rows of a query for which the store is held, and how many rows a scan counts for by itself: a block waits for so much at most. A longer query has what blocks overwrite put aside. */
export const queryHeldRowsMax = 1_000
export const scanCostRows = 100
/** Long queries at once. */
export const longQueriesMax = 64
/** What may be put aside for all long queries together, and for a snapshot being made: at 600 purchases a second some 300 kB a second. */
export const pastStateBytesMax = 64 * 1_048_576
/** What is gathered before it goes into the database at once, with a sync, and as much again while it goes: some twenty blocks of a hundred purchases. After a crash so much is executed once more. */
export const storePendingBytesMax = 4 * 1_048_576
export const storePendingBatchesMax = 64
export const storePendingMsMax = 2_000
/** Of them so many are handed to LevelDB in one turn of the event loop: about a millisecond. */
export const storeFillRows = 256
/** LevelDB's block cache; hot state is cached above it. */
export const storeCacheBytes = 8 * 1_048_576
/** LevelDB's write buffer, of which there are two at times: larger means less merging, since a page of the tree that is written again and again is merged once, and a longer recovery. */
export const storeWriteBufferBytes = 24 * 1_048_576

/**
 * What a start looks through before anything is served, newest blocks first: a second or two. Of a larger store the rest is found damaged when it is read, and
 * by `verify`. What LevelDB's own log can lose, one write buffer, is within it.
 */
export const startAudit = { transactionsMax: 20_000, stateBytesMax: 4 * 1_048_576 } as const

// ---------------------------------------------------------------- verifier

/** Fewer items are checked on the calling thread: the way to a worker and back costs more than they do (test/node/verifier.test.ts prints both). */
export const verifyInlineMax = 3
/** Items of one parcel for a worker: about 5 ms of work, so that a vote's check never waits long behind it. */
export const verifyParcelItems = 128
/** Items waiting or under way; at 42 µs over two workers about 1.4 s of work. */
export const verifyWaitingMax = 65_536
export const verifyWorkersMax = 4
/** A worker that ends more often than this without finishing a parcel is not started again; its work is done inline. */
export const verifyRestartsMax = 5

// ---------------------------------------------------------------- files

export const configBytesMax = 1_048_576
/** Origins that the configuration lists; more are better let through by a proxy, or all by `*`. */
export const originsMax = 64
/** Proxies of one's own in a row; more are a mistake. */
export const proxiesMax = 8
export const keystoreBytesMax = 65_536
export const passphraseBytesMax = 1_024
export const passphraseCharactersMin = 8

// ---------------------------------------------------------------- log

/** A repeated line of one kind and peer appears once in this time, with the number left out. */
export const logRepeatMs = 10_000
/** Kinds and peers that are remembered for it. */
export const logRepeatKeysMax = 1_024

// ---------------------------------------------------------------- mempool

/** About ten seconds at 5,000 transactions a second; what is refused beyond is told so at once. */
export const mempoolTransactionsMax = 50_000
export const mempoolBytesMax = 64 * 1_048_576
/** One sender, such as an officer's back end or a load test, may fill a part of the mempool only. */
export const mempoolPerSenderMax = 10_000
/** A transaction that waits while blocks order what came this much later, or while there are none for this long, is sent to the validators again: the first copy may be lost. */
export const resendAfterMs = 2_000
/** How many of those at a time. */
export const resendTransactionsMax = 256
/** Transactions in one gossip message. */
export const gossipTransactionsMax = 256

// ---------------------------------------------------------------- payloads and catching up

/** What a proposal orders and is not here may be on its way from another validator: it is asked for after this long. Three hops between sites 15 ms apart. */
export const gossipGraceMs = 50
/** And after what has come in is looked through, but for that no longer than this: whoever keeps us busy must not keep us from voting. */
export const gossipSettleMs = 500
/** One question for envelopes or blocks; a peer that takes longer is passed over for this round. The first round is short, each later one twice as patient. */
export const fetchFirstTimeoutMs = 500
export const fetchTimeoutMs = 4_000
/** Between rounds of asking every holder. */
export const fetchRetryMs = 150
/** Proposed blocks are judged up to this far above the last final one: four times the pipeline of a usual genesis. Each may hold blockBytesMax of a liar's. */
export const judgedAheadMax = 16
/** The replica repeats its question several times a second while a block is what it waits for. */
export const judgeLifetimeMs = 10_000
/** How often a block that is too early is compared with the clock. */
export const clockLookMs = 250
/** Envelopes of open blocks in memory, beyond which those that nothing rests on any more are looked for. */
export const openPayloadBytesMax = 64 * 1_048_576
/** A range of blocks; the answerer reads up to answerContentBytesMax from its store for it. */
export const syncTimeoutMs = 10_000
/** Blocks asked of one peer at a time: small enough that several peers share a day's blocks, large enough that the way there and back does not count. */
export const syncRangeBlocks = 64
/** Ranges under way or waiting for their turn; each answer has at most answerBytesMax. */
export const syncRangesMax = 6
/** The range that all wait for is asked of a second peer after this. */
export const syncHedgeMs = 2_000
/** A peer whose answer did not hold, did not come or was not what it claims is asked last for this long, doubled each time up to the cap. */
export const asideFirstMs = 1_000
export const asideCapMs = 60_000
/** A block handed to the replica is taken in the same turn or two, unless it was refused. */
export const syncSettleMs = 2_000
/** Answers to one peer: a node that catches up reads a day's blocks in minutes, and one that only asks takes a tenth of a core. */
export const servedBytesPerSecond = 16 * 1_048_576
/** Saved up by a peer that has asked little. */
export const servedBurstBytes = 64 * 1_048_576
/** What an answer costs however small it is, in bytes of the above. */
export const answerCostBytes = 8_192
/** Snapshots kept for others: one that is being fetched stays there until two later ones are made. */
export const snapshotsKept = 2
/** Written at once to one of 256 files while a snapshot is made: 16 MiB together. */
export const snapshotBufferBytes = 65_536
/** A snapshot is made in slices of this much work, each followed by a rest so many times as long: it takes a tenth of a core, and more as what is put aside for it fills its room; no vote waits longer. */
export const snapshotSliceMs = 5
export const snapshotRestShare = 9
/** Whether others have a snapshot is asked at most this often. */
export const joinRetryMs = 30_000
/** One part or range of blocks for a node that joins; the answerer may let it wait for its share. */
export const joinTimeoutMs = 20_000
/** Rounds in which nobody had what was missing, before a snapshot is given up for a newer one, and the pause between them. */
export const joinRoundsMax = 10
export const joinPauseMs = 1_000
/** Consensus messages whose signatures held, remembered so that repetitions cost one hash. */
export const inboundRecentMax = 4_096
/** A message with more signatures than this has its sender's checked first, by itself. */
export const inboundChecksMin = 8

// ---------------------------------------------------------------- the driver

/** The vote log is cut down to what is still needed when it has grown to this: the store is synced then, so not too often. */
export const voteLogCompactBytes = 64 * 1_048_576
/** A timer later than this was held up by the machine, not by the granularity of timers or a long turn of our own. */
export const timerLateMs = 100
/** Records held in memory before those that the store has made superfluous are looked for. */
export const recordsPruneMin = 4_096

// ---------------------------------------------------------------- bodies of posts

/** One body, outside the blocks. */
export const bodyBytesMax = 65_536
/** Blocks that leave with one that is stored, on a node that prunes. */
export const prunedBlocksMax = 3

/** Bodies that no post refers to yet, of one peer or of all clients: a post follows its body within seconds. Beyond, the oldest of that source go. */
export const waitingBodiesMax = 1_024
export const waitingBodiesBytesMax = 16 * 1_048_576
/** Bodies missing here that are asked for in turn; the others wait on the disk. */
export const missingBodiesMax = 10_000
/** Between questions for missing bodies; doubled up to the longest while none comes. */
export const bodyFetchPauseMs = 2_000
export const bodyFetchPauseMaxMs = 600_000
/** How often bodies that were erased are taken out of the files, and how many at once: each has a few files of some megabytes merged. */
export const bodyScrubPauseMs = 60_000
export const bodyScrubMax = 8
/** As long as the transaction that posts it may be valid. */
export const waitingBodyMs = 3_600_000

// ---------------------------------------------------------------- memory of the state

/** A decoded value with its key in the cache, roughly; measured on balances and accounts. */
export const stateEntryBytes = 1_024
/** A decoded page of the upper tree (some 1.4 KB), and one of the lowest as it is stored (some 600 bytes), with what holds them, roughly. */
export const treePageBytes = 2_048

// ---------------------------------------------------------------- the node

/** How long a proof waits for the certificate of a height that it was made at. */
export const certificateWaitMs = 5_000
/** How often the node looks at what waits too long: resending, expiry, suspicion. */
export const houseKeepingMs = 500
/** Contradictions of validators that are kept to be shown. */
export const evidenceMax = 256
/** Of their messages, encoded; a new view is large. */
export const evidenceBytesMax = 16 * 1_048_576
/** Values that one simulated transaction may read and keep. */
export const simulationEntriesMax = 4_096
/** A validator that starts asks each of the others how far it is, and asks again after this when there was no answer. */
export const horizonRetryMs = 300
/** How long such an answer is waited for: a small one. */
export const horizonTimeoutMs = 2_000
/** One without its votes hears others this long after a quorum has answered, unless all have: a liar among the first could have it give up views for good. */
export const horizonGraceMs = 2_000
/** How often such a validator looks whether it has caught up. */
export const recoveryLookMs = 100
/** It may take some looks until nothing waits to be executed; under load that is so for a moment after each block. */
export const recoveryPauseMs = 3
/** Until the peers are asked again for a certificate of a validator set that none of them had. */
export const setCertificateRetryMs = 5_000
/** Receipts waited for at once. A waiting call costs a timer and some hundred bytes. */
export const waitersMax = 65_536

/** Transactions executed in one turn of the event loop: some milliseconds, while a whole block would hold up votes for a good part of a view timeout. */
export const executeStepTransactions = 32

/** How long a client's transaction waits for the state to know its keys, how many may wait so, and the values one look may read. */
export const doorWaitMs = 2_000
export const doorWaitingMax = 256
export const doorEntriesMax = 64
/** What one sender may have saved up, in seconds of its rate: an office sends its morning's work at once. */
export const senderBurstSeconds = 10
