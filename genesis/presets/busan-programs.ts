// The two programmes of Busan's pilot, as an officer opens them. Amounts stand here and in no rule. Of every figure the comment says whether it
// is reported (the source, as an article or page) or our assumption, made where no public figure was at hand.
import type { TimeMs, Won } from '../../primitives/brand.ts'
import type { OpenProgram } from './preset.ts'

const dayMs = 86_400_000
const won = (amount: number): Won => amount as Won
const after = (openedMs: number, days: number): TimeMs => (openedMs + days * dayMs) as TimeMs

/** Households of 2024, about 122,000 with 41.2 billion won in all (ytn.co.kr 2025-05-22). At 300,000 and 500,000 won that is 99,000 and 23,000: our computation. */
export const pilotHouseholds = { two: 99_000, threeOrMore: 23_000 } as const

/** Multi-child education support points (다자녀 교육지원 포인트). */
export function multiChild(openedMs: number): OpenProgram {
  return {
    program: 'multi-child',
    // Reported: what was paid in 2024, 41.2 billion won (ytn.co.kr 2025-05-22). Assumption: that the budget is exactly this.
    budget: won(41_200_000_000),
    terms: {
      kind: 'points',
      title: '다자녀 교육지원 포인트',
      // Reported: a household may claim once; the second parent's claim is a duplicate (ramss.co.kr, jwgm.kr).
      unit: 'household',
      tiers: [
        // Reported: once a year 300,000 won for two children (donga.com 2024-05-20; ytn.co.kr 2025-05-22; jwgm.kr 626000000655).
        { tier: 'two-children', amount: won(300_000) },
        // Reported: 500,000 won for three or more (the same).
        { tier: 'three-or-more', amount: won(500_000) },
      ],
      // Reported for 2025: applications from 22 May to 12 December, 204 days (jwgm.kr). Assumption: the same span from the day of opening.
      applicationOpensMs: after(openedMs, 0),
      applicationClosesMs: after(openedMs, 204),
      // Reported for 2025: to be used by 31 December, 223 days after 22 May (jwgm.kr). Assumption: the same span, and use from the first day.
      useOpensMs: after(openedMs, 0),
      useClosesMs: after(openedMs, 223),
      // Reported: bookshops, study rooms, stationers, arts and sports schools, survival swimming; not ordinary cram schools (jwgm.kr; dealholic.co.kr).
      // Assumption: the words for the categories.
      categories: ['bookshop', 'study-room', 'stationer', 'arts-school', 'sports-school', 'survival-swimming'],
      // Assumption: a good attestation is granted at once. The pilot promises apply and use at one stop.
      decide: 'automatic',
      // Reported: what is left lapses (jwgm.kr).
      leftover: 'reclaimed',
    },
  }
}

/** Youth culture pass (부산청년만원문화패스). */
export function youthCulturePass(openedMs: number): OpenProgram {
  return {
    program: 'youth-culture-pass',
    // Computed: 5,000 passes of 100,000 won each from the fund.
    budget: won(500_000_000),
    terms: {
      kind: 'pass',
      title: '부산청년만원문화패스',
      // Reported: 10,000 won buys up to 110,000 won of performances (donga.com 2024-05-20). Our reading: 10,000 by the citizen and up to 100,000 by the fund.
      tiers: [{ tier: 'young-resident', amount: won(100_000) }],
      ownShare: won(10_000),
      // Reported: first come, 5,000 young residents (donga.com 2024-05-20).
      grantsMax: 5_000,
      // Reported: over 10,000 signed up just before, and places came free late (newspim.com). Assumption: that so many may wait for one.
      waitlistMax: 10_000,
      // Reported: from July (donga.com 2024-05-20). Assumption: applications for 30 days, use for 184 (July to December), both from the day of opening.
      applicationOpensMs: after(openedMs, 0),
      applicationClosesMs: after(openedMs, 30),
      useOpensMs: after(openedMs, 0),
      useClosesMs: after(openedMs, 184),
      // Reported: performances (donga.com 2024-05-20). Assumption: the word.
      categories: ['performance'],
      // Assumption. In 2024 residency was checked afterwards and places came free late (newspim.com); an attestation beforehand ends that.
      decide: 'automatic',
      // Assumption: what a holder does not use can be granted to the next in line.
      leftover: 'unallocated',
    },
  }
}
