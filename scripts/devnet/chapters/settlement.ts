// The bank pays the merchants what they are owed, each claim once, and the sums of both funds add up to the won.
import type { Won } from '../../../primitives/brand.ts'
import type { SettlementItem } from '../../../state/points/types.ts'
import { expect, expectEqual, type Story } from '../story.ts'
import { type Chapter, type Tell, won } from './chapter.ts'
import { amountOf, culturePass, multiChild, prices, programOf } from './funds.ts'

const payment = 'BNK-launch-day-0001'

async function openClaims(story: Story): Promise<readonly SettlementItem[]> {
  const items: SettlementItem[] = []
  for (const shop of ['bookshop', 'stationer', 'theatre'] as const) {
    const merchant = story.office(shop).did
    const claims = (await story.client.call('points_claims', { merchant })).items
    // an earlier start of this day may have settled them; the same bytes are then sent again
    for (const { program, claim, due } of claims) items.push({ merchant, program, claim, amount: due as Won })
  }
  return items
}

export const settlement: Chapter = {
  title: '정산 · BNK settles the merchants',
  play: async (story, tell) => {
    const items = await openClaims(story)
    const share = programOf(story, culturePass).terms.ownShare ?? 0
    const expected = prices.books + prices.notebooks + prices.ticket - share
    expectEqual(items.reduce((sum, { amount }) => sum + amount, 0), expected, 'what the merchants are owed')
    const receipt = await story.send('settle', { kind: 'points.settle', by: story.office('settler'), payload: { payment, items } })
    expectEqual(receipt.events.filter(({ type }) => type === 'points.settled').length, items.length, 'claims settled')
    tell(`BNK pays ${items.length} claims, ${won(expected)} in all, under the payment ${payment}`, receipt)

    const twice = await story.sendRefused('settle-twice', 'points/claim-settled', { kind: 'points.settle', by: story.office('settler'), payload: { payment: `${payment}-again`, items } })
    tell(`the same claims a second time are refused: ${twice.code}`, twice)

    await audit(story, tell, multiChild, {
      granted: amountOf(programOf(story, multiChild), 'two-children') + amountOf(programOf(story, multiChild), 'three-or-more'),
      settled: prices.books + prices.notebooks,
    })
    await audit(story, tell, culturePass, { granted: amountOf(programOf(story, culturePass), 'young-resident'), settled: prices.ticket - share })
  },
}

async function audit(story: Story, tell: Tell, program: string, { granted, settled }: { readonly granted: number; readonly settled: number }): Promise<void> {
  const { sums, holds, recount } = await story.client.call('points_audit', { program, recount: true })
  const { budget } = programOf(story, program)
  expect(holds, `the audit of ${program} holds`)
  expect(recount !== undefined, `the audit of ${program} was counted again from its accounts and claims`)
  expectEqual(
    { budget: sums.budget, unallocated: sums.unallocated, held: sums.held, unsettled: sums.unsettled, settled: sums.settled, reclaimed: sums.reclaimed },
    { budget, unallocated: budget - granted, held: granted - settled, unsettled: 0, settled, reclaimed: 0 },
    `the sums of ${program}`,
  )
  tell(`audit of ${program}: ${won(sums.budget)} = ${won(sums.unallocated)} unallocated + ${won(sums.held)} held + ${won(sums.unsettled)} unsettled + ${won(sums.settled)} settled + ${won(sums.reclaimed)} reclaimed`)
}
