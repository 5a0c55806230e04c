// The reservation family, as docs/transactions.md describes it.
import type { ChapterReference, KindReference } from './chapter.ts'

const operator = 'An operator of the facility: role `operator` with the facility, its living area or its `operatorScope` as scope, or `*`.'
const operated = ['reservation/unknown-slot', 'reservation/not-operator'] as const
const opening = ['reservation/unknown-facility', 'reservation/not-operator', 'reservation/facility-closed', 'with a course: `reservation/name-taken`', 'reservation/course-differs'] as const
const eachSlot = ['reservation/slot-exists', 'reservation/slot-in-past', 'reservation/day-closed', 'with a price: `reservation/unknown-merchant`', 'reservation/day-full'] as const
const admission = [
  'reservation/slot-closed',
  'reservation/facility-closed',
  'reservation/not-open-yet',
  'reservation/window-closed',
  'reservation/already-reserved',
  'reservation/blocked',
  'with a qualification: `reservation/qualification-required`',
  'the codes of an attestation (see credential)',
  'reservation/qualification-differs',
  'reservation/person-has-seat',
  'in a course: `reservation/course-limit`',
] as const
const slotRows = 'reads the slot, its facility and its day'
const seatRows = `${slotRows}, the sender’s row, its absences, the counters, and in a course what the person holds; writes the row, the counters, the list of holders and what the person holds`
const facilityRows = 'reads the facility and up to 4 roles'

const kinds: Readonly<Record<string, KindReference>> = {
  'reservation.registerFacility': {
    who: 'An operator with the living area or the new id as scope, or `*`; an `operatorScope` counts only afterwards.',
    rules: ['reservation/unknown-living-area', 'reservation/not-operator', 'reservation/name-taken'],
    events: ['reservation.facilityRegistered'],
    cost: 'reads the living area, roles and 3 names; writes the facility and 2 lists.',
  },
  'reservation.closeFacility': {
    who: `${operator} Its slots are void from then on; what was paid for them comes back when the holder cancels.`,
    rules: ['reservation/unknown-facility', 'reservation/not-operator', 'reservation/facility-closed'],
    events: ['reservation.facilityClosed'],
    cost: `${facilityRows}, writes the facility.`,
  },
  'reservation.openSlots': {
    who: `${operator} A slot with a lottery is signed by each party to its seed, one of whom at least does not operate the facility. All slots are opened or none.`,
    rules: [...opening, 'for each with a lottery: `reservation/party-not-signed`', 'reservation/no-outside-party', 'for each: `reservation/slot-exists`', ...eachSlot.slice(1)],
    events: ['reservation.slotOpened'],
    cost: `${facilityRows}; for each of up to 500 writes the slot and a list, with a price the list of its day, with a lottery the queue.`,
  },
  'reservation.openTimetable': {
    who: `${operator} The slots are those of each day from \`firstDay\` to \`lastDay\` that is one of \`weekdays\` (1 is Monday) and not in \`exceptDays\`, at each of \`times\` (minutes after midnight), 1 to 2,000 of them; days are counted from 1 January 1970, in Korean time (+09:00). Days on which the facility is closed are left out. All or none.`,
    rules: [...opening, 'no day left: `reservation/day-closed`', 'reservation/slot-in-past', 'for each: `reservation/opens-too-late`', ...eachSlot],
    events: ['reservation.timetableOpened'],
    cost: `${facilityRows} and 366 days; for each of up to 2,000 slots writes the slot and a list, with a price the list of its day.`,
  },
  'reservation.amendSlot': {
    who: `${operator} Those in line move up with the next blocks.`,
    rules: [...operated, 'reservation/slot-closed', 'reservation/drawing', 'reservation/below-taken'],
    events: ['reservation.slotAmended'],
    cost: `${slotRows} and the counters, writes the slot, and the queue if there are seats for the line.`,
  },
  'reservation.closeSlot': {
    who: `${operator} What was paid comes back with the next blocks.`,
    rules: [...operated, 'reservation/slot-closed'],
    events: ['reservation.slotClosed'],
    cost: `${slotRows} and the counters, writes the slot, and the queue if someone has paid: the same for 1 holder and 100,000.`,
  },
  'reservation.closeDays': {
    who: `${operator} Up to 31 days from today on, by the Korean calendar. Slots that begin on them are void; what was paid for them comes back with the next blocks.`,
    rules: ['reservation/unknown-facility', 'reservation/not-operator', 'reservation/facility-closed', 'reservation/day-in-past', 'for each: `reservation/day-closed`'],
    events: ['reservation.daysClosed'],
    cost: `${facilityRows}; for each day reads 2 rows, writes one, and the queue if slots of the day have a price.`,
  },
  'reservation.hold': {
    who: 'Anybody, for a slot that is not drawn by lot. The seat is kept for `holdMs` of the settings (10 minutes unless genesis says otherwise), at most until `closesMs`. Who let one go cannot have the same slot kept again until it has sent reservation.reserve there: whether the time was over, the seat was cancelled, or it was an offer from the line or by lot.',
    rules: ['reservation/unknown-slot', 'reservation/by-lottery', 'reservation/held-before', ...admission, 'reservation/no-seat-to-hold'],
    events: ['reservation.held'],
    cost: `${seatRows}, and the queue.`,
  },
  'reservation.reserve': {
    who: 'Anybody. For a seat that is kept it is the confirmation, also after `closesMs`; in a slot with a lottery a lot; else a seat, or a place in line while none is free or others wait; from the start of the slot on nobody moves up, and a free seat is for who comes. `payment` is taken, by all rules of points.spend, only in the transaction that gets the seat: both or neither. A purchase bears the id of the transaction.',
    rules: [
      'reservation/unknown-slot',
      'reservation/nothing-to-pay',
      'of a kept seat: `reservation/slot-closed`',
      'reservation/hold-expired',
      'else: the rules of admission, `reservation/slot-closed` to `reservation/course-limit`, as of reservation.hold',
      'reservation/full',
      'with a price: `reservation/payment-required`',
      'the codes of points.spend',
    ],
    events: ['reservation.reserved', 'reservation.waitlisted', 'reservation.confirmed', 'reservation.entered', 'points.spent'],
    cost: `${seatRows}; in line the neighbour’s row; a lot or a payment a row of a roster; with a price what points.spend costs.`,
  },
  'reservation.cancel': {
    who: 'The holder: of a seat until `cancelUntilMs`, of a kept seat or a place in line at any time, of a lot until `closesMs`; of a void slot always. All that was paid comes back, by the rules of points.refund, without what the merchant has given back by itself before, and a free seat goes to the first in line, at once.',
    rules: ['reservation/unknown-slot', 'reservation/no-reservation', 'of a lot: `reservation/drawing`', 'of a seat: `reservation/too-late-to-cancel`', 'with a payment: the codes of points.refund'],
    events: ['reservation.cancelled', 'reservation.promoted', 'points.refunded', 'points.reclaimed', 'points.clawedBack'],
    cost: `${slotRows}; writes the row, the counters, the list of holders and what the person holds; the rows of up to 2 neighbours and of who moves up; with a payment what points.refund costs.`,
  },
  'reservation.reveal': {
    who: 'Each party to the seed of a lottery, in a block after the one that ended the registration, until a day after the time of that block. Send it only when that block is final: a secret that is refused is known all the same.',
    rules: ['reservation/unknown-slot', 'reservation/not-a-party', 'reservation/slot-closed', 'reservation/too-early', 'reservation/secret-shown', 'reservation/too-late', 'reservation/secret-differs'],
    events: ['reservation.secretShown'],
    cost: `${slotRows}, the lottery and a block’s record, writes the lottery; with the last secret also the queue.`,
  },
  'reservation.checkIn': {
    who: `${operator} From 2 hours before the start until 7 days after the end; also to set an absence right. Not of a slot that was closed, or whose facility was before it began.`,
    rules: [...operated, 'reservation/slot-closed', 'reservation/too-early', 'reservation/too-late', 'reservation/no-reservation'],
    events: ['reservation.checkedIn'],
    cost: `${slotRows}, the row and the counters, writes the last two, and the absences if one is taken back.`,
  },
  'reservation.noShow': {
    who: `${operator} From the start until 7 days after the end; not of a slot that was closed, or whose facility was before it began. After \`absencesMax\` absences within \`absenceWindowMs\` (3 within 90 days) the DID reserves nothing new until \`blockMs\` (30 days) after the last.`,
    rules: [...operated, 'reservation/slot-closed', 'reservation/too-early', 'reservation/too-late', 'reservation/no-reservation'],
    events: ['reservation.missed'],
    cost: `${slotRows}, the row, the counters and the absences, writes the last three.`,
  },
}

export const reservationReference: ChapterReference = {
  family: 'reservation',
  intro:
    'Public facilities in 62 living areas, their slots, and who has a seat. Capacity is never passed; the place in the chain is the place in line. A slot that is a whole term of a course says in `meets` when it meets. ' +
    'A person is its pseudonym where the slot asks for a qualification (an attestation for `reservation:<course, or else facility>`), else its DID; `perPersonMax` counts seats, places in line and lots of a course.',
  kinds,
  byItself:
    'Before its transactions a block works off what has fallen due, at most 250 steps, 50 for one matter before the others have their turn; the rest waits for the next block, and no rule relies on it. ' +
    'A kept seat that was not confirmed lapses (`reservation.lapsed`); free seats go to the first in line (`reservation.promoted`), kept for the payment for `offerMs` (a day), at most until the start, where the slot has a price; from the start on nobody moves up. ' +
    'Of a lottery: registration ends (`reservation.registrationEnded`), lots are drawn (`reservation.drawn`), or a secret was withheld for a day after the block that ended the registration and the slot is closed (`reservation.drawFailed`). ' +
    'The slots with a price of a closed day are taken up one by one, in the order in which they were opened. Of a slot that was closed or taken up so: who has paid and was not there yet is given back what the merchant has not given back by itself, who paid last first, and the seat is given up (`points.refunded` with what follows from it, as of points.refund, and `reservation.refunded`); where the points family refuses, the seat stays with what was paid, void, and the holder cancels later (`reservation.refundRefused`). ' +
    'A step reads and writes a row, the counters and the neighbours; the queue costs as many rows as the logarithm of its size. On an idle chain this happens with the next transaction (see the top of this page).',
}
