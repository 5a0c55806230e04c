import { accountsQuery, applicationQuery, balanceQuery, grantsQuery } from './query-accounts.ts'
import { auditQuery } from './query-audit.ts'
import { claimsQuery, programClaimsQuery, purchaseQuery, settlementQuery, settlementsQuery } from './query-claims.ts'
import { merchantQuery, merchantsQuery, programQuery, programsQuery } from './query-programs.ts'

export const queries = [
  programsQuery,
  programQuery,
  balanceQuery,
  grantsQuery,
  applicationQuery,
  claimsQuery,
  settlementsQuery,
  auditQuery,
  // beside the contract: what a till, the bank and an auditor need
  accountsQuery,
  programClaimsQuery,
  purchaseQuery,
  settlementQuery,
  merchantQuery,
  merchantsQuery,
]
