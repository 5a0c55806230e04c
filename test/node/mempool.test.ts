// The mempool, the proposer and the housekeeping: order, shares, and when a primary is suspected.
import t from 'tap'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { codeOf } from '../../primitives/errors.ts'
import { blockHash } from '../../consensus/block.ts'
import { createAdmission } from '../../node/admission.ts'
import { createHouse, type House } from '../../node/house.ts'
import { mempoolPerSenderMax } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { createMempool, type Mempool } from '../../node/mempool.ts'
import { createPayloads } from '../../node/payloads.ts'
import { makeProposal } from '../../node/proposer.ts'
import { createVerifier } from '../../node/verifier.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { idOf, makePayload, makeTransaction, testChain, testValidUntilMs } from '../support/transactions.ts'

t.test('who signs in the name of another fills a share of his own', async (t) => {
  const mempool = createMempool()
  for (let i = 0; i < mempoolPerSenderMax; i++) mempool.add(makeTransaction(`${i}`, { sender: 'victim', signer: 'thief' }), 0)
  t.equal(codeOfThrown(() => mempool.add(makeTransaction('one more', { sender: 'victim', signer: 'thief' }), 0)), 'mempool/sender-limit')
  t.equal(mempool.add(makeTransaction('the real one', { sender: 'victim' }), 0), true)
  mempool.remove([makeTransaction('0', { sender: 'victim', signer: 'thief' }).transaction.id].map(toBase64url))
  t.equal(mempool.add(makeTransaction('room again', { sender: 'victim', signer: 'thief' }), 0), true)
})

function codeOfThrown(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return codeOf(error)
  }
  return 'nothing'
}

t.test('a proposal keeps the order of arrival and leaves out what is ordered, what ran and what is too late', async (t) => {
  const mempool = createMempool()
  const [first, open, ran, late, last] = ['first', 'open', 'ran', 'late', 'last'].map((salt) => makeTransaction(salt, salt === 'late' ? { validUntilMs: 1_780_000_000_500 } : {}))
  if (first === undefined || open === undefined || ran === undefined || late === undefined || last === undefined) throw new Error('five')
  for (const one of [first, open, ran, late, last]) mempool.add(one, 0)
  const payloads = createPayloads()
  const parent = makePayload(5, [open])
  payloads.put(parent, true)
  const made = makeProposal(
    { view: 0 as View, height: 6 as Height, parent: blockHash(parent.header), parentTimeMs: 1_780_000_001_000 as TimeMs },
    mempool,
    { payloads, executedHead: parent.header.parent, hasRun: ({ id }) => idOf(ran) === Buffer.from(id).toString('base64url') },
    { transactionsMax: 10, bytesMax: 100_000 },
    1_780_000_000_000,
  )
  t.same(made?.transactions.map(idOf), [first, last].map(idOf))
  t.equal(made?.proposal.timeMs, 1_780_000_001_001, 'block time never runs backwards')
})

interface HouseRig {
  readonly clock: ManualClock
  readonly house: House
  readonly suspicions: number[]
  /** When what waits was sent again. */
  readonly resent: number[]
  readonly seen: { view: number }
  readonly ordered: Set<string>
  readonly mempool: Mempool
}

function houseRig(t: Test, waits: boolean): HouseRig {
  const clock = createManualClock(testValidUntilMs - 500_000)
  const mempool = createMempool()
  if (waits) mempool.add(makeTransaction('left out'), 0)
  const suspicions: number[] = []
  const resent: number[] = []
  const ordered = new Set<string>()
  const seen = { view: 0 }
  const house = createHouse({
    clock,
    log: silentLog,
    mempool,
    inclusionTimeoutMs: 5_000,
    isOrdered: (id) => ordered.has(id),
    view: () => seen.view,
    spread: () => void resent.push(clock.monotonic()),
    tellWork: () => {},
    suspect: () => void suspicions.push(clock.monotonic()),
  })
  const rig: HouseRig = { clock, house, suspicions, resent, ordered, seen, mempool }
  t.teardown(rig.house.stop)
  return rig
}
type Test = { teardown: (act: () => void) => void }

/** A block each second: with room for more, full of what has waited as long as anything, or full of what has just come. */
async function seconds(rig: HouseRig, count: number, block?: 'roomy' | 'full' | 'full of late ones'): Promise<void> {
  for (let i = 0; i < count; i++) {
    await rig.clock.advance(1_000)
    if (block !== undefined) rig.house.blockStored(block === 'roomy', block === 'full' ? 0 : rig.clock.monotonic())
  }
}

t.test('a primary that leaves a transaction out of blocks with room is suspected within two inclusion timeouts', async (t) => {
  const rig = houseRig(t, true)
  await seconds(rig, 10, 'roomy')
  t.equal(rig.suspicions.length, 1)
})

t.test('a primary that fills its blocks with what came later leaves out, too', async (t) => {
  const rig = houseRig(t, true)
  await seconds(rig, 10, 'full of late ones')
  t.equal(rig.suspicions.length, 1)
})

t.test('the latest arrival of what a block orders', (t) => {
  const mempool = createMempool()
  const [early, late, unknown] = ['early', 'late', 'unknown'].map((name) => makeTransaction(name)) as [ReadyTransaction, ReadyTransaction, ReadyTransaction]
  mempool.add(early, 1_000)
  mempool.add(late, 2_000)
  const ids = (...all: readonly ReadyTransaction[]): string[] => all.map(({ transaction }) => toBase64url(transaction.id))
  t.equal(mempool.latestArrivalMs(ids(late, early), 9_000), 2_000)
  t.equal(mempool.latestArrivalMs(ids(early), 9_000), 1_000)
  t.equal(mempool.latestArrivalMs(ids(early, unknown), 9_000), 9_000, 'what was not here has just come with the block')
  t.end()
})

t.test('nobody is suspected while blocks are full, while none is made, or when the transaction is in an open block', async (t) => {
  const full = houseRig(t, true)
  await seconds(full, 60, 'full')
  t.same(full.suspicions, [])
  const silent = houseRig(t, true)
  await seconds(silent, 60)
  t.same(silent.suspicions, [], 'silence is what the view timer is for')
  const open = houseRig(t, true)
  open.ordered.add(idOf(makeTransaction('left out')))
  await seconds(open, 60, 'roomy')
  t.same(open.suspicions, [])
  const idle = houseRig(t, false)
  await seconds(idle, 60, 'roomy')
  t.same(idle.suspicions, [])
})

t.test('what waits is sent again when blocks pass it over or there are none, and not because the line is long', async (t) => {
  const passed = houseRig(t, true)
  await seconds(passed, 5, 'roomy')
  t.not(passed.resent.length, 0)
  const silent = houseRig(t, true)
  await seconds(silent, 3)
  t.not(silent.resent.length, 0, 'nothing is ordered at all')
  const long = houseRig(t, true)
  await seconds(long, 60, 'full')
  t.same(long.resent, [], 'blocks order what came before it')
})

t.test('cometbft #1637: transactions stuck without expiry. All that waits goes when its time has passed, though no block is ever made', async (t) => {
  const { clock, mempool } = houseRig(t, false)
  const most = Array.from({ length: 40 }, (_, i) => makeTransaction(`${i}`, { validUntilMs: testValidUntilMs - 495_000 + 50 * i }))
  for (const one of most) mempool.add(one, clock.monotonic())
  mempool.add(makeTransaction('later'), clock.monotonic())
  await clock.advance(4_000)
  t.equal(mempool.size().transactions, most.length + 1, 'none before its time')
  await clock.advance(4_000)
  t.equal(mempool.size().transactions, 1)
  t.equal(mempool.byReference(toBase64url((most[0] as ReadyTransaction).transaction.reference)), undefined)
  t.same(mempool.take(10, 1_000_000, () => false).map(idOf), [makeTransaction('later')].map(idOf))
  await clock.advance(500_000)
  t.same(mempool.size(), { transactions: 0, bytes: 0 })
})

t.test('cometbft #1637: what could wait for longer than the chain allows never comes in', async (t) => {
  const clock = createManualClock(testValidUntilMs - 60_000)
  const mempool = createMempool()
  const verifier = createVerifier({ log: silentLog, workers: 0 })
  t.teardown(async () => verifier.stop())
  const admission = createAdmission({ chainId: testChain, mempool, verifier, clock, hasRun: () => false, validityMsMax: () => 60_000, onAdded: () => {} })
  await t.rejects(admission.admit(makeTransaction('too far', { validUntilMs: testValidUntilMs + 1 }).transaction.bytes), { code: 'tx/valid-until-too-far' })
  await t.rejects(admission.admit(makeTransaction('too late', { validUntilMs: testValidUntilMs - 60_001 }).transaction.bytes), { code: 'tx/expired' })
  t.equal(mempool.size().transactions, 0)
  const admitted = admission.admit(makeTransaction('just').transaction.bytes)
  await clock.advance(1)
  t.ok((await admitted).added)
})

t.test('views do not run away: each primary has the whole time to do better', async (t) => {
  const rig = houseRig(t, true)
  await seconds(rig, 10, 'roomy')
  for (let view = 1; view <= 4; view++) {
    const before = rig.suspicions.length
    rig.seen.view = view
    await seconds(rig, 5, 'roomy')
    t.equal(rig.suspicions.length, before, `view ${view} is new`)
    await seconds(rig, 2, 'roomy')
  }
  t.ok(rig.suspicions.length <= 6, `${rig.suspicions.length} in 38 seconds`)
})

t.test('payloads: what nothing rests on any more goes, and what was kept once stays kept', async (t) => {
  const payloads = createPayloads()
  const [one, two] = [makePayload(1, [makeTransaction('one')]), makePayload(2, [makeTransaction('two')])]
  payloads.put(one, true)
  payloads.put(one, false)
  payloads.put(two, false)
  t.equal(payloads.isKept(blockHash(one.header)), true)
  t.equal(payloads.isKept(blockHash(two.header)), false)
  t.same(payloads.keptAbove(0 as Height).map(({ header }) => header.height), [1])
  t.equal(payloads.bytes(), one.bytes + two.bytes)
  payloads.retain(({ height }) => height === 2)
  t.equal(payloads.bytes(), two.bytes)
  t.equal(payloads.byReference(one.references[0] as Hash), undefined)
  payloads.release(2 as Height)
  t.equal(payloads.bytes(), 0)
})
