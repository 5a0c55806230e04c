import { accountsQuery, applicationQuery, balanceQuery, grantsQuery } from './query-accounts.ts'
import { auditQuery } from './query-audit.ts'
import { claimsQuery, debtQuery, dueQuery, holdQuery, programClaimsQuery, purchaseQuery, repaymentQuery, settlementQuery, settlementsQuery } from './query-claims.ts'
import { merchantQuery, merchantsQuery, programQuery, programsQuery } from './query-programs.ts'
import { statementQuery } from './query-statement.ts'

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
  dueQuery,
  debtQuery,
  holdQuery,
  purchaseQuery,
  settlementQuery,
  repaymentQuery,
  statementQuery,
  merchantQuery,
  merchantsQuery,
]
