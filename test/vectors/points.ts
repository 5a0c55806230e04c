// Vectors of the points family: a small city in which every kind of transaction runs once, with its payload, its receipt and its events, what the
// chain did by itself, and the rows of the state at the end.
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { Json, Schema } from '../../primitives/schema.ts'
import { eventSchema } from '../../state/events.ts'
import { kinds } from '../../state/families.ts'
import { dayOf } from '../../state/calendar.ts'
import { type Receipt, receiptSchema } from '../../state/receipt.ts'
import { attest, createWorld, dayMs, pass, person, pseudonymOf, startMs, terms, type Person } from '../state/points-world.ts'

const [issuer, officer, second, bank, shop, theatre] = ['issuer', 'officer', 'second officer', 'bank', 'bookshop', 'theatre'].map(person) as [Person, Person, Person, Person, Person, Person]
const [mina, jun, sora] = ['mina', 'jun', 'sora'].map(person) as [Person, Person, Person]
const [kids, youth] = ['multi-child', 'youth-pass']

export function pointsVectors(): Json {
  const world = createWorld()
  world.register(issuer, officer, second, bank, shop, theatre, mina, jun, sora)
  world.give(issuer, 'issuer', '*')
  for (const who of [officer, second]) world.give(who, 'officer', '*')
  world.give(bank, 'settler', '*')
  const transactions: Json[] = []
  const byItself: Json[] = []

  const send = (sender: Person, kind: string, payload: object, ...cosigners: readonly Person[]): Receipt => {
    const schema = kinds.get(`points.${kind}`)?.payload as unknown as Schema<unknown>
    const seen = world.events.length
    const receipt = world.send(sender, `points.${kind}`, payload, ...cosigners)
    // the chain's own events come before those of the transaction
    const own = world.events.slice(seen, world.events.length - receipt.events.length)
    if (own.length > 0) byItself.push({ height: world.height, timeMs: world.nowMs, events: own.map((event) => ({ json: eventSchema.toJson(event), encoded: toHex(encode(eventSchema, event)) })) })
    transactions.push({
      kind: `points.${kind}`,
      sender: sender.did,
      cosigners: cosigners.map(({ did }) => did),
      timeMs: world.nowMs,
      payloadJson: schema.toJson(payload),
      payload: toHex(encode(schema, payload)),
      receiptJson: receiptSchema.toJson(receipt),
      receipt: toHex(encode(receiptSchema, receipt)),
    })
    return receipt
  }
  const apply = (who: Person, program: string, tier: string): Receipt => send(who, 'apply', { program, attestation: attest(issuer, program, who.did, tier, pseudonymOf(who.did)) })

  send(officer, 'registerMerchant', { merchant: shop.did, category: 'bookshop', livingArea: 'jung-1' })
  send(officer, 'registerMerchant', { merchant: theatre.did, category: 'bookshop' })
  send(officer, 'amendMerchant', { merchant: theatre.did, category: 'theatre' })
  send(officer, 'suspendMerchant', { merchant: theatre.did, reason: 'papers-missing' })
  send(officer, 'resumeMerchant', { merchant: theatre.did })
  const all = { unit: 'household', capPerCitizen: 400_000 as Won, capPerPurchase: 250_000 as Won, capPerDay: 250_000 as Won, capPerMonth: 300_000 as Won, grantsMax: 10, waitlistMax: 5, officersNeeded: 2, refundGraceDays: 3, merchantDebtMax: 100_000 as Won } as const
  const tiers = [{ tier: 'two', amount: 300_000 as Won, useDays: 9 }, { tier: 'three', amount: 500_000 as Won }]
  send(officer, 'openProgram', { program: kids, budget: 500_000, terms: terms({ ...all, tiers, decide: 'officer' }) }, second)
  send(officer, 'openProgram', { program: youth, budget: 200_000, terms: pass({ grantsMax: 1, waitlistMax: 2, leftover: 'unallocated' }) })
  send(officer, 'topUp', { program: kids, amount: 600_000 }, second)
  send(officer, 'cutBudget', { program: kids, amount: 100_000 }, second)
  send(officer, 'amendProgram', { program: kids, title: '다자녀 교육지원 포인트', capPerDay: 260_000 }, second)
  apply(mina, kids, 'two')
  apply(jun, kids, 'three')
  send(officer, 'decide', { program: kids, decisions: [{ did: mina.did, approve: true }, { did: jun.did, approve: false, reason: 'not-resident' }] }, second)
  send(officer, 'issue', { program: kids, grants: [{ did: sora.did, tier: 'two', pseudonym: pseudonymOf('sora'), expiresMs: startMs + dayMs }] }, second)
  apply(jun, youth, 'youth')
  apply(mina, youth, 'youth')
  send(officer, 'clawback', { program: youth, did: jun.did, grant: 1, reason: 'not-resident' })
  const books = send(mina, 'spend', { program: kids, merchant: shop.did, amount: 42_000, reference: 'till-1-0001' })
  send(mina, 'spend', { program: kids, merchant: theatre.did, amount: 300_001 })
  const ticket = send(mina, 'authorise', { program: youth, merchant: theatre.did, amount: 60_000, ownShareMax: 10_000, expiresMs: startMs + 2 * dayMs })
  const [voided] = [send(mina, 'authorise', { program: kids, merchant: shop.did, amount: 1_000, expiresMs: startMs + dayMs }), send(mina, 'authorise', { program: kids, merchant: shop.did, amount: 500, expiresMs: startMs + 3_600_000 })]
  send(theatre, 'capture', { purchase: ticket.id, amount: 40_000 })
  send(shop, 'void', { purchase: voided.id })
  world.nowMs = (startMs + dayMs) as TimeMs
  send(bank, 'settle', { payment: '2024-10-05.1', cutOffDay: dayOf(startMs), items: [{ merchant: shop.did, program: kids, claim: 1, amount: 42_000 }] })
  send(shop, 'refund', { purchase: books.id, amount: 42_000, reason: 'returned' })
  send(bank, 'repay', { payment: 'repaid-1', merchant: shop.did, program: kids, amount: 20_000 })
  // not at a full minute: the chain comes later than this
  send(officer, 'issue', { program: kids, grants: [{ did: jun.did, tier: 'two', pseudonym: pseudonymOf('jun again'), expiresMs: world.nowMs + 1 }] }, second)
  world.nowMs = (world.nowMs + 2) as TimeMs
  send(sora, 'reclaim', { program: kids, dids: [jun.did] })
  world.nowMs = (startMs + 20 * dayMs) as TimeMs
  send(officer, 'closeProgram', { program: youth })
  const rows = [...world.rows].filter(([key]) => key.startsWith('points.')).sort(([a], [b]) => (a < b ? -1 : 1))
  return { transactions, byItself, rows: rows.map(([key, value]) => ({ key, value: toHex(value) })) }
}
