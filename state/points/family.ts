// Points: programmes of the city's policy funds, as data on the chain, and the money that moves in them (docs/points.md).
import { family, type GenesisSection } from '../family.ts'
import { amendProgram } from './amend.ts'
import { apply } from './apply.ts'
import { authorise } from './authorise.ts'
import { beginBlock } from './begin-block.ts'
import { cutBudget, topUp } from './budget.ts'
import { clawback } from './clawback.ts'
import { closeProgram } from './close.ts'
import { codes } from './codes.ts'
import { decide } from './decide.ts'
import { events } from './events.ts'
import { capture, voidHold } from './holds.ts'
import { issue } from './issue.ts'
import { merchantTable } from './keys.ts'
import { amendMerchant, registerMerchant, resumeMerchant, suspendMerchant } from './merchants.ts'
import { openProgram } from './open.ts'
import { queries } from './queries.ts'
import { reclaim } from './reclaim.ts'
import { refund } from './refund.ts'
import { repay } from './repay.ts'
import { settle } from './settle.ts'
import { spend } from './spend.ts'
import { genesisSection, type PointsGenesis } from './types.ts'

const genesis: GenesisSection<PointsGenesis> = {
  schema: genesisSection,
  apply: ({ view }, { merchants }) => {
    for (const { did, category, livingArea } of merchants) view.put(merchantTable, [did], { category, livingArea, status: 'active' })
  },
}

export const pointsFamily = family({
  name: 'points',
  kinds: [registerMerchant, amendMerchant, suspendMerchant, resumeMerchant, openProgram, amendProgram, topUp, cutBudget, closeProgram, apply, decide, issue, clawback, spend, authorise, capture, voidHold, refund, settle, repay, reclaim],
  events,
  queries,
  codes,
  genesis,
  beginBlock,
})
