// Every bound of the map indexer, each with why.

/** Events asked for at once. */
export const pageEvents = 1_000
/** Summaries of blocks asked for at once, to follow their parents. */
export const pageBlocks = 1_000
/** Between two questions at the head of the chain. */
export const pollMs = 500
/** A node that has had nothing new for this long may be one that hangs behind: the next of the list is asked. */
export const idleMs = 10_000
/** Between two rounds through the list of nodes while none can be followed; doubled up to the second. */
export const retryMs = 250
export const retryMsMax = 5_000
/** One question to one node. */
export const askTimeoutMs = 10_000

/** Features of one answer. */
export const featuresDefault = 100
export const featuresMax = 500
/** Slots that are counted for one facility or course: bounds the work of an answer. */
export const countedSlotsMax = 50
/** Across the city and back. */
export const distanceMMax = 100_000

/** Query strings are short; nothing has a body. */
export const bodyBytesMax = 1_024
export const requestTimeoutMs = 10_000
export const connectionsMax = 2_048
export const stopGraceMs = 2_000

/** To PostgreSQL: reads wait for one another rather than take the server's from others. */
export const databaseConnectionsMax = 8
export const databaseConnectMs = 5_000
/** The server gives up a statement, and a transaction in which nothing comes any more: its writer is gone, and the next one waits for its locks. */
export const databaseStatementMs = 10_000
/** No answer by then, not even that it has given up: the server is lost. */
export const databaseAnswerMs = 15_000
