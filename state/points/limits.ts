// Bounds of the points family, each with its why. They decide what is valid, so all nodes share them.

/** Programmes ever opened. A citizen's balance without a programme named looks at each, so their number bounds that answer. */
export const programsMax = 1_000
/** A budget, in won: twice the city's own for a year. The sum of a settlement's claims, each within a budget, stays a safe integer. */
export const budgetMax = 40_000_000_000_000
/** Tiers of a programme: few enough to be read by a citizen, and kept in the programme's own record. */
export const tiersMax = 16
/** Merchant categories of a programme, kept in its record. */
export const categoriesMax = 32
/** Grants of one citizen in one programme, over its whole life: a spend looks at each of them. */
export const accountGrantsMax = 16
/** Grants in one batch: what fits one transaction (each about 90 bytes). */
export const issueBatchMax = 500
/** Decisions in one batch; each may make a grant. */
export const decideBatchMax = 200
/** Claims in one settlement: its row, with every item, stays far below the bound of a state value. */
export const settleBatchMax = 200
/** DIDs in one reclaim, and grants that it takes back: one event each. */
export const reclaimBatchMax = 500
export const reclaimEventsMax = 1_000
/** Applications that wait in line for one programme: twice the rush of the pilot's youth pass, many times over. */
export const waitlistMax = 1_000_000
/** Days in terms: ten years. */
export const daysMax = 3_660
/** How long a merchant may keep an amount on hold: tickets sold a month ahead. */
export const holdMsMax = 30 * 86_400_000
/** Things that fall due which one block works off before its transactions, each with at most two events. What is left waits for the next. */
export const dueWorkMax = 1_000
/** Places of a line that one transaction fills by itself: with the reclaims beside them their events fit a receipt. The rest move up with the next blocks. */
export const promoteAtOnceMax = 100
/** Items in one row of the queue: a batch issue of hundreds writes some rows, not hundreds. */
export const dueChunkItems = 32
/** Changes of a programme's sums, one a block, that are kept for audits of earlier heights: a day of a block every second. Days are kept for good. */
export const historyKept = 100_000
/** Totals of flows are counted modulo this, so that whoever moves money to and fro for years can stop nothing: 2^52. */
export const flowsModulus = 4_503_599_627_370_496
/** Merchants in the genesis; all others are registered by transaction. */
export const genesisMerchantsMax = 10_000
/** Rows that an audit counts again when asked to: the pilot's 122,000 households with their shops, in some seconds, a thousand rows at a time. */
export const auditRowsMax = 200_000
