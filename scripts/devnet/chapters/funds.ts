// The two policy funds: opened from the preset, applied for with an attestation, spent where they may be.
import { devnet as preset } from '../../../genesis/presets/devnet.ts'
import { type OpenProgram } from '../../../genesis/presets/preset.ts'
import type { Won } from '../../../primitives/brand.ts'
import { expectEqual, type Story } from '../story.ts'
import { type Chapter, type Tell, won } from './chapter.ts'
import { citizens, register } from './citizenship.ts'

export const multiChild = 'multi-child'
export const culturePass = 'youth-culture-pass'

export function programOf(story: Story, id: string): OpenProgram {
  const found = preset.programs(story.journal.startedMs).find(({ program }) => program === id)
  if (found === undefined) throw new Error(`the preset has no programme ${id}`)
  return found
}

export function amountOf({ terms }: OpenProgram, tier: string): number {
  return terms.tiers.find((each) => each.tier === tier)?.amount ?? 0
}

/** What was bought. The prices are of our invention. */
export const prices = { books: 42_000, drinks: 30_000, notebooks: 8_500, ticket: 45_000 } as const

export const opening: Chapter = {
  title: '정책자금 개시 · the city opens two policy funds',
  play: async (story, tell) => {
    for (const id of [multiChild, culturePass]) {
      const program = programOf(story, id)
      const receipt = await story.send(`open-${id}`, { kind: 'points.openProgram', by: story.office('officer'), payload: program })
      const { sums, terms } = { ...(await story.client.call('points_program', { program: id })), terms: program.terms }
      expectEqual(sums.budget, program.budget, `the budget of ${id}`)
      tell(`${terms.title}: budget ${won(program.budget)}, ${terms.tiers.map(({ tier, amount }) => `${tier} ${won(amount)}`).join(', ')}`, receipt)
    }
  },
}

async function balance(story: Story, citizen: string, program: string): Promise<number> {
  return (await story.client.call('points_balance', { did: story.citizen(citizen).did, program })).balance
}

async function apply(story: Story, tell: Tell, citizen: 'two' | 'three' | 'youth', id: string, claim: string): Promise<void> {
  const program = programOf(story, id)
  const wallet = story.citizen(citizen)
  const attestation = story.attest({ purpose: `points:${id}`, subject: wallet.did, claim, person: citizen })
  const receipt = await story.send(`apply-${id}-${citizen}`, { kind: 'points.apply', by: wallet, payload: { program: id, attestation } })
  const granted = receipt.events.find(({ type }) => type === 'points.granted') as { readonly amount?: number } | undefined
  const amount = amountOf(program, claim)
  expectEqual(granted?.amount, amount, `what ${citizen} was granted in ${id}`)
  tell(`${citizens[citizen]} applies to ${id} as ${claim} and is granted ${won(amount)} at once`, receipt)
}

export const applications: Chapter = {
  title: '신청 · applying without papers',
  play: async (story, tell) => {
    await apply(story, tell, 'two', multiChild, 'two-children')
    await apply(story, tell, 'three', multiChild, 'three-or-more')
    await apply(story, tell, 'youth', culturePass, 'young-resident')

    // the same household with a second phone and a second DID: another subject, the same pseudonym
    await register(story, tell, 'two-again', `${citizens.two}, on a second phone,`)
    const again = story.citizen('two-again')
    const attestation = story.attest({ purpose: `points:${multiChild}`, subject: again.did, claim: 'two-children', person: 'two' })
    const refused = await story.sendRefused('apply-again', 'points/pseudonym-used', { kind: 'points.apply', by: again, payload: { program: multiChild, attestation } })
    tell(`${citizens.two} applies again under the second DID and is refused: ${refused.code}`, refused)
  },
}

export const spending: Chapter = {
  title: '사용 · at the counter',
  play: async (story, tell) => {
    const two = story.citizen('two')
    const three = story.citizen('three')
    const before = amountOf(programOf(story, multiChild), 'two-children')
    const books = await story.send('spend-books', { kind: 'points.spend', by: two, payload: { program: multiChild, merchant: story.office('bookshop').did, amount: prices.books as Won, reference: 'till-1-0001' } })
    expectEqual(await balance(story, 'two', multiChild), before - prices.books, 'the balance after the books')
    tell(`${citizens.two} buys books for ${won(prices.books)} at 보수동 책방; ${won(before - prices.books)} are left`, books)

    const drinks = await story.sendRefused('spend-drinks', 'points/category-not-allowed', { kind: 'points.spend', by: two, payload: { program: multiChild, merchant: story.office('bar').did, amount: prices.drinks as Won } })
    expectEqual(await balance(story, 'two', multiChild), before - prices.books, 'the balance after the refusal')
    tell(`the bar 광안리 주점 is refused: ${drinks.code}; the balance stays`, drinks)

    const notebooks = await story.send('spend-notebooks', { kind: 'points.spend', by: three, payload: { program: multiChild, merchant: story.office('stationer').did, amount: prices.notebooks as Won } })
    tell(`${citizens.three} buys notebooks for ${won(prices.notebooks)} at 서면 문구점`, notebooks)

    const share = programOf(story, culturePass).terms.ownShare ?? 0
    const ticket = await story.send('spend-ticket', {
      kind: 'points.spend',
      by: story.citizen('youth'),
      payload: { program: culturePass, merchant: story.office('theatre').did, amount: prices.ticket as Won, ownShareMax: share as Won, reference: 'seat-B12' },
    })
    const spent = ticket.events.find(({ type }) => type === 'points.spent') as { readonly own?: number; readonly funded?: number } | undefined
    expectEqual([spent?.own, spent?.funded], [share, prices.ticket - share], 'how the ticket is paid')
    tell(`${citizens.youth} sees a play at 대연동 소극장 for ${won(prices.ticket)}: ${won(share)} of their own, ${won(prices.ticket - share)} from the pass`, ticket)
  },
}
