// The points family, as docs/transactions.md describes it.
import type { ChapterReference, KindReference } from './chapter.ts'

const everyOfficer = 'An officer of every programme (role `officer`, scope `*`).'
const officers = 'An officer of the programme, or of every programme; where its terms say `officersNeeded: 2`, a second one signs the same transaction.'
const acting = (...more: readonly string[]): readonly string[] => ['points/not-officer', 'points/unknown-program', ...more, 'points/second-officer-missing']
const paying = [
  'points/unknown-program',
  'points/program-closed',
  'points/use-window',
  'points/own-shop',
  'points/unknown-merchant',
  'points/merchant-suspended',
  'points/category-not-allowed',
  'by points: `points/over-purchase-cap`',
  'points/over-citizen-cap',
  'points/over-day-cap',
  'points/over-month-cap',
  'points/insufficient-balance',
  'with a pass: the cap of the citizen, the day or the month, if it is used up, and `points/insufficient-balance`, if the fund has nothing left to pay with',
  'points/own-share-differs',
]
const lapses = ['points.reclaimed', 'points.clawedBack']
const sums = 'the sums, and one row of history the first time in a block'
const seat = `reads 2 roles and the merchant, writes the merchant.`

const kinds: Readonly<Record<string, KindReference>> = {
  'points.registerMerchant': { who: everyOfficer, rules: ['points/not-officer', 'points/unknown-did', 'points/merchant-exists'], events: ['points.merchantRegistered'], cost: seat },
  'points.amendMerchant': { who: everyOfficer, rules: ['points/not-officer', 'points/unknown-merchant', 'points/nothing-to-amend'], events: ['points.merchantAmended'], cost: seat },
  'points.suspendMerchant': { who: everyOfficer, rules: ['points/not-officer', 'points/unknown-merchant', 'points/merchant-suspended'], events: ['points.merchantSuspended'], cost: seat },
  'points.resumeMerchant': { who: everyOfficer, rules: ['points/not-officer', 'points/unknown-merchant', 'points/merchant-active'], events: ['points.merchantResumed'], cost: seat },
  'points.openProgram': {
    who: 'An officer of the programme to be, or of every programme; two of them where its terms say so.',
    rules: ['points/not-officer', 'points/second-officer-missing', 'points/program-exists', 'points/window-past', 'points/too-many-programs'],
    events: ['points.programOpened'],
    cost: 'writes the programme, its sums, the count of programmes.',
  },
  'points.amendProgram': {
    who: officers,
    rules: [...acting('points/program-closed'), 'points/use-ended', 'points/nothing-to-amend', 'points/windows-invalid', 'points/amend-narrows'],
    events: ['points.programAmended', 'points.granted', 'points.rejected'],
    cost: 'writes the programme; for each of up to 100 who move up in line, as points.apply.',
  },
  'points.topUp': {
    who: officers,
    rules: [...acting('points/program-closed'), 'points/budget-too-large'],
    events: ['points.budgetChanged', 'points.granted', 'points.rejected'],
    cost: `writes ${sums}; for each of up to 100 who move up in line, as points.apply.`,
  },
  'points.cutBudget': { who: officers, rules: [...acting(), 'points/budget-committed'], events: ['points.budgetChanged'], cost: `writes ${sums}.` },
  'points.closeProgram': { who: officers, rules: [...acting('points/program-closed'), 'points/still-held'], events: ['points.programClosed'], cost: 'writes the programme.' },
  'points.apply': {
    who: 'A citizen, with an attestation of the issuer for purpose `points:<program>` whose claim is the tier.',
    rules: [
      'points/unknown-program',
      'points/program-closed',
      'points/application-window',
      'points/unknown-tier',
      'points/already-applied',
      'points/pseudonym-used',
      'where the programme decides by itself: `points/too-many-grants`',
      '`points/budget-exhausted`, if it has no line',
      '`points/waitlist-full`, if it has one',
      'the attestation: `credential/attestation-purpose`, `credential/attestation-subject`, `credential/attestation-expired`, `credential/attestation-issuer`, `credential/attestation-key`, `credential/attestation-withdrawn`, `credential/attestation-signature`',
    ],
    events: ['points.applied', 'points.granted', 'points.waitlisted'],
    cost: `one signature check; writes the account, the pseudonym, ${sums}; when granted, an item of the queue (a row for 32 of them); when waiting, a row of the line.`,
  },
  'points.decide': {
    who: officers,
    rules: [
      ...acting('`points/program-closed`, if anything is approved'),
      'for each: `points/not-pending`',
      'approving: `points/use-ended`, `points/too-many-grants`',
      '`points/budget-exhausted`, if it has no line',
      '`points/waitlist-full`, if it has one',
    ],
    events: ['points.granted', 'points.waitlisted', 'points.rejected'],
    cost: `for each of up to 200: writes the account, and as points.apply when approved; removes the pseudonym when rejected.`,
  },
  'points.issue': {
    who: officers,
    rules: [
      ...acting('points/program-closed'),
      'points/line-waits',
      'for each: `points/expiry-invalid`',
      'points/unknown-did',
      'points/pseudonym-used',
      'points/use-ended',
      'points/unknown-tier',
      'points/too-many-grants',
      'points/budget-exhausted',
    ],
    events: ['points.granted'],
    cost: `for each of up to 500: reads the DID, writes the account, the pseudonym and an item of the queue (a row for 32 of them); once, ${sums}.`,
  },
  'points.clawback': {
    who: officers,
    rules: [...acting('points/program-closed'), 'points/unknown-grant', 'points/nothing-to-claw-back'],
    events: ['points.clawedBack', 'points.granted', 'points.rejected'],
    cost: `writes the account, ${sums}; for each of up to 100 who move up in line, as points.apply.`,
  },
  'points.spend': {
    who: 'A citizen who holds a grant.',
    rules: paying,
    events: ['points.spent'],
    cost: `writes the account, the claim, the purchase, ${sums}; the merchant’s book when it opens a claim.`,
  },
  'points.authorise': {
    who: 'A citizen who holds a grant.',
    rules: ['points/hold-expiry-invalid', ...paying],
    events: ['points.authorised'],
    cost: `writes the account, the hold, an item of the queue, ${sums}.`,
  },
  'points.capture': {
    who: 'The merchant for whom it is on hold.',
    rules: ['points/unknown-hold', 'points/hold-expired', 'points/merchant-suspended', 'points/over-capture'],
    events: ['points.captured', ...lapses],
    cost: `removes the hold, writes the account, the claim, the purchase, ${sums}; the merchant’s book when it opens a claim.`,
  },
  'points.void': {
    who: 'The merchant for whom it is on hold, also while suspended.',
    rules: ['points/unknown-hold', 'points/hold-expired'],
    events: ['points.released', ...lapses],
    cost: `removes the hold, writes the account, ${sums}.`,
  },
  'points.refund': {
    who: 'The merchant that was paid, also while suspended, also of a closed programme.',
    rules: ['points/unknown-purchase', 'points/over-refund', 'points/refund-not-covered'],
    events: ['points.refunded', ...lapses],
    cost: `writes the account, the purchase, the claim or the merchant’s book, ${sums}.`,
  },
  'points.settle': {
    who: 'A settler (role `settler`) of every programme in it, or of all.',
    rules: [
      'points/payment-exists',
      'points/cut-off-open',
      'for each: `points/not-settler`',
      'points/unknown-program',
      'points/unknown-claim',
      'points/claim-settled',
      'points/after-cut-off',
      'points/claim-amount-differs',
    ],
    events: ['points.settled'],
    cost: `for each of up to 200: writes the claim, and the merchant’s book if something is netted; once, the settlement, ${sums}.`,
  },
  'points.repay': {
    who: 'A settler of the programme, or of all.',
    rules: ['points/not-settler', 'points/payment-exists', 'points/unknown-program', 'points/over-repayment'],
    events: ['points.repaid'],
    cost: `writes the repayment, the merchant’s book, ${sums}.`,
  },
  'points.reclaim': {
    who: 'Anybody.',
    rules: ['points/unknown-program', 'points/nothing-to-reclaim'],
    events: ['points.reclaimed', 'points.granted', 'points.rejected'],
    cost: `for each of up to 500 DIDs: reads the account, writes it if something is taken; once, ${sums}; for each of up to 100 who move up in line, as points.apply.`,
  },
}

export const pointsReference: ChapterReference = {
  family: 'points',
  intro: 'Programmes of the policy funds and the money in them. [points.md](points.md) explains what the rules decide and why.',
  kinds,
  byItself:
    'Before its transactions a block works off what has fallen due, at most 1,000 steps: an expired grant is reclaimed (`points.reclaimed`), a hold that was not captured in time goes back (`points.released`, and `points.reclaimed` or `points.clawedBack` if its grant is over), ' +
    'who waits in line moves up (`points.granted`, or `points.rejected` for a DID that was deactivated). These events stand in the block’s own outcome, before the first receipt. What does not fit waits for the next block. Each step reads and writes an account and the sums; the queue costs a row for 32 items.',
}
