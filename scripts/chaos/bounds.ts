// What the network is held to, and how long things are waited for. The bounds leave room for a machine that does much else; the figures that a
// run prints are the measurement.

/** With at most f validators impaired, blocks go on: no longer wait for one. */
export const goesOnMs = 15_000
/** Where no quorum was left: from the moment that so many validators answer again as make one, to the next final block. */
export const resumesMs = 20_000
/** From the end of a fault until every validator is ready again: caught up, connected, voting. */
export const readyMs = 60_000
/** One that begins with an emptied folder has this much longer for each block that it must catch up on. */
export const rebuildsMsPerBlock = 50
/** A node whose files are damaged refuses to start within this. */
export const refusesMs = 30_000
/** A node whose disk is full stops within this. */
export const stopsMs = 45_000
/** What was under way when the quorum was lost may still become final for this long. */
export const underWayMs = 2_000
/** At the end: everything sent is final or gone, all stand at one height, and its state is certified. */
export const settlesMs = 60_000
/** Held by the heap of a node at the end, after however many hours: the caches of state and tree are full by then. */
export const heapBytesMax = 768 * 1_048_576
/** How late the event loop may be half of the time since the figures were last read. A single long turn is the machine's; a node that is always late is ours. */
export const loopLagP50MsMax = 250
