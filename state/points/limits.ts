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
/** DIDs in one reclaim. One event each. */
export const reclaimBatchMax = 500
/** Merchants in the genesis; all others are registered by transaction. */
export const genesisMerchantsMax = 10_000
/** Rows that an audit counts again by itself. Above it, page through points_accounts and points_programClaims. */
export const auditRowsMax = 20_000
