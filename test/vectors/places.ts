// Vectors of reservations and the community: a neighbourhood in which every kind of transaction of both families runs once, with its payload, its receipt, what
// blocks did by themselves, and the rows of the state at the end.
import type { Hash, TimeMs, Won } from '../../primitives/brand.ts'
import { toHex, utf8 } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { sha256, taggedHash } from '../../primitives/hash.ts'
import type { Json } from '../../primitives/schema.ts'
import { appeal, decideAppeal } from '../../state/community/appeal.ts'
import { comment } from '../../state/community/comment.ts'
import { erase } from '../../state/community/erase.ts'
import { hide } from '../../state/community/hide.ts'
import { news } from '../../state/community/news.ts'
import { post } from '../../state/community/post.ts'
import { react } from '../../state/community/react.ts'
import { restore } from '../../state/community/restore.ts'
import { eventSchema } from '../../state/events.ts'
import type { Kind } from '../../state/family.ts'
import { issue } from '../../state/points/issue.ts'
import { registerMerchant } from '../../state/points/merchants.ts'
import { openProgram } from '../../state/points/open.ts'
import { type Receipt, receiptSchema } from '../../state/receipt.ts'
import { amendSlot } from '../../state/reservation/amend-slot.ts'
import { dayMs, dayOf, hourMs } from '../../state/calendar.ts'
import { compactDateOf } from '../../state/reservation/pattern.ts'
import { cancel } from '../../state/reservation/cancel.ts'
import { checkIn } from '../../state/reservation/check-in.ts'
import { closeDays } from '../../state/reservation/close-days.ts'
import { closeFacility } from '../../state/reservation/close-facility.ts'
import { closeSlot } from '../../state/reservation/close-slot.ts'
import { hold } from '../../state/reservation/hold.ts'
import { secretHash } from '../../state/reservation/lottery.ts'
import { noShow } from '../../state/reservation/no-show.ts'
import { openSlots } from '../../state/reservation/open-slots.ts'
import { openTimetable } from '../../state/reservation/open-timetable.ts'
import { registerFacility } from '../../state/reservation/register-facility.ts'
import { reserve } from '../../state/reservation/reserve.ts'
import { reveal } from '../../state/reservation/reveal.ts'
import type { SlotDefinition } from '../../state/reservation/types.ts'
import { createHarness, genesisTimeMs, testActor, type TestActor, testIssuer } from '../support/state-harness.ts'

const [operator, officer, theatre, witness, moderator, other] = ['operator', 'officer', 'theatre', 'witness', 'moderator', 'another moderator'].map((name) => testActor(name)) as [TestActor, TestActor, TestActor, TestActor, TestActor, TestActor]
const [mina, jun, sora] = ['mina', 'jun', 'sora'].map((name) => testActor(name)) as [TestActor, TestActor, TestActor]
const at = (ms: number): TimeMs => (genesisTimeMs + ms) as TimeMs
const secretOf = (who: TestActor): Hash => taggedHash('vector-secret', utf8(who.did))

const centre = { longitude: 129_005_000, latitude: 35_105_000 }
const livingArea = {
  id: 'west',
  name: { ko: '서쪽', en: 'West' },
  district: { ko: '중구', en: 'Jung-gu' },
  centre,
  polygon: [
    { longitude: 129_000_000, latitude: 35_100_000 },
    { longitude: 129_010_000, latitude: 35_100_000 },
    { longitude: 129_005_000, latitude: 35_110_000 },
  ],
}

function slotOf(id: string, more: Partial<SlotDefinition> = {}): SlotDefinition {
  const times = { startsMs: at(10 * dayMs), endsMs: at(10 * dayMs + 2 * hourMs), opensMs: at(0), closesMs: at(8 * dayMs), cancelUntilMs: at(9 * dayMs) }
  return { id, ...times, capacity: 1, waitlistMax: 2, ...more }
}

export function placesVectors(): Json {
  const chain = createHarness({
    genesis: {
      reservation: { livingAreas: [livingArea], facilities: [] },
      community: {
        boards: [
          { livingArea: 'west', board: 'talk', title: { ko: '이야기', en: 'Talk' }, open: 'citizens' },
          { livingArea: 'city', board: 'news', title: { ko: '부산 소식', en: 'News' }, open: 'news' },
        ],
      },
    },
    actors: [mina, jun, sora, theatre, witness],
    roles: [
      [operator, 'operator', 'west'],
      [officer, 'officer', '*'],
      [moderator, 'moderator', 'west'],
      [other, 'moderator', '*'],
    ],
  })
  const transactions: Json[] = []
  const byItself: Json[] = []
  const send = <P>(kind: Kind<P>, sender: TestActor, payload: NoInfer<P>, ...cosigners: readonly TestActor[]): Receipt => {
    const { timeMs } = chain.next()
    const { receipts, outcome } = chain.execute(chain.make(kind, sender, payload, { cosigners }))
    const receipt = receipts[0] as Receipt
    if (outcome.events.length > 0) byItself.push({ height: outcome.height, timeMs, events: outcome.events.map((event) => ({ json: eventSchema.toJson(event), encoded: toHex(encode(eventSchema, event)) })) })
    const payloads = { payloadJson: kind.payload.toJson(payload), payload: toHex(encode(kind.payload, payload)) }
    transactions.push({ kind: kind.kind, sender: sender.did, cosigners: cosigners.map(({ did }) => did), timeMs, ...payloads, receiptJson: receiptSchema.toJson(receipt), receipt: toHex(encode(receiptSchema, receipt)) })
    return receipt
  }

  chain.run(registerMerchant, officer, { merchant: theatre.did, category: 'theatre' })
  const windows = { applicationOpensMs: at(0), applicationClosesMs: at(90 * dayMs), useOpensMs: at(0), useClosesMs: at(90 * dayMs) }
  chain.run(openProgram, officer, { program: 'fund', budget: 60_000 as Won, terms: { kind: 'points', title: '기금', tiers: [{ tier: 'all', amount: 30_000 as Won }], ...windows, categories: ['theatre'], decide: 'officer', leftover: 'reclaimed' } })
  chain.run(issue, officer, { program: 'fund', grants: [mina, jun].map(({ did }) => ({ did, tier: 'all', pseudonym: sha256(utf8(did)) })) })

  for (const id of ['hall', 'annex']) send(registerFacility, operator, { id, livingArea: 'west', category: 'lecture', title: { ko: '강당', en: 'Hall' }, position: centre, contactHash: taggedHash('vector-contact', utf8(id)) as never })
  const price = { amount: 10_000 as Won, merchant: theatre.did }
  const parties = [operator, witness]
  const lottery = parties.map((who) => ({ by: who.did, hash: secretHash('term', who.did, secretOf(who)) }))
  const day = dayOf(genesisTimeMs)
  send(openSlots, operator, { facility: 'hall', slots: [slotOf('show', { price }), slotOf('talk')] })
  send(
    openSlots,
    operator,
    { facility: 'hall', course: { id: 'yoga', title: { ko: '어르신 요가', en: 'Yoga' }, perPersonMax: 1 }, qualification: 'over-65', slots: [slotOf('term', { lottery, endsMs: at(100 * dayMs), meets: { weekdays: [1, 4], times: [600], minutes: 90 } })] },
    witness,
  )
  const weekly = { weekdays: [1, 2, 3, 4, 5, 6, 7], times: [540, 600], minutes: 50, exceptDays: [day + 4] }
  send(openTimetable, operator, { facility: 'hall', prefix: 'badminton', firstDay: day + 1, lastDay: day + 14, ...weekly, opensBeforeMs: 7 * dayMs, closesBeforeMs: hourMs, cancelBeforeMs: dayMs, capacity: 8, waitlistMax: 4, price })
  const payment = { program: 'fund', ownShareMax: 0 as Won }
  const attestation = (who: TestActor) => chain.attest(testIssuer, { purpose: 'reservation:yoga', subject: who.did, claim: 'over-65', pseudonym: sha256(utf8(who.did)), expiresMs: at(90 * dayMs) })
  send(hold, mina, { slot: 'show' })
  send(reserve, mina, { slot: 'show', payment })
  send(reserve, jun, { slot: 'show' })
  send(cancel, mina, { slot: 'show' })
  send(reserve, jun, { slot: 'show', payment })
  send(reserve, sora, { slot: 'show', payment })
  for (const who of [mina, jun, sora]) send(reserve, who, { slot: 'term', attestation: attestation(who) })
  send(hold, sora, { slot: `badminton-${compactDateOf(day + 1)}-0900` })
  for (const who of [mina, jun, sora]) send(reserve, who, { slot: 'talk' })
  send(amendSlot, operator, { slot: 'talk', capacity: 2 })

  const bodyOf = (text: string) => ({ bodyHash: sha256(utf8(text)) as Hash, bodyBytes: utf8(text).length })
  const talk = send(post, mina, { livingArea: 'west', board: 'talk', ...bodyOf('salt and words') })
  send(news, other, { livingArea: 'city', board: 'news', title: '디지털 시민증 시작', ...bodyOf('salt and news') })
  const reply = send(comment, jun, { parent: talk.id, ...bodyOf('salt and a reply') })
  send(react, sora, { post: talk.id, reaction: 'thanks' })
  send(react, sora, { post: talk.id })
  const reason = { code: 'off-topic', text: '게시판 주제와 다름' } as const
  send(hide, moderator, { post: talk.id, reason })
  send(appeal, mina, { post: talk.id, ground: 'misunderstood' })
  send(decideAppeal, moderator, { post: talk.id, restore: true, reason })
  send(decideAppeal, other, { post: talk.id, restore: false, reason })
  send(restore, moderator, { post: talk.id, reason: { code: 'mistake', text: '잘못 가림' } })
  send(erase, jun, { post: reply.id })
  send(erase, moderator, { post: talk.id, reason })

  chain.advance(8 * dayMs)
  send(reserve, sora, { slot: 'talk' })
  for (const who of parties) send(reveal, who, { slot: 'term', secret: secretOf(who) })
  send(closeSlot, operator, { slot: 'show', reason: '출연자 사정' })
  chain.advance(2 * dayMs)
  send(checkIn, operator, { slot: 'talk', did: mina.did })
  send(noShow, operator, { slot: 'talk', did: jun.did })
  send(closeDays, operator, { facility: 'hall', firstDay: day + 12, lastDay: day + 13, reason: '시설 점검' })
  send(closeFacility, operator, { facility: 'annex', reason: '이전' })
  const rows = chain.entries().filter(([key]) => /^(reservation|community)\./.test(key))
  return { chain: chain.chain, transactions, byItself, rows: rows.map(([key, value]) => ({ key, value: toHex(value) })) }
}
