// npm run bench:scale: its formulas against real replicas, and what its simulation must do whatever the costs are.
import t from 'tap'
import type { Costs } from '../../scripts/scale/costs.ts'
import { countMessages } from '../../scripts/scale/lockstep.ts'
import { blockCost, checkpointInterval, gossipBytes, sizesAt } from '../../scripts/scale/model.ts'
import { Line, wireBytes } from '../../scripts/scale/machine.ts'
import { ScaleNetwork, type ScaleOptions } from '../../scripts/scale/network.ts'
import { Kernel } from '../simulator/kernel.ts'

const costs: Costs = {
  node: 'none',
  transactionBytes: 281,
  verifyUs: 50,
  workerUs: 50,
  parcelUs: 2,
  signUs: 20,
  messageUs: 30,
  byteNs: 3,
  encodeUs: 1,
  inboundUs: 8,
  stepUs: { 4: 12, 7: 12 },
  admitUs: 40,
  proposeUs: 8,
  judgeUs: 9,
  executeUs: 100,
  executeBlockUs: 140,
  storeUs: 40,
  storeBlockUs: 700,
  batchUs: 10,
  batchBlockUs: 100,
  helpersUs: 50,
  helpersBlockUs: 100,
  removeUs: 4,
  appendUs: 100,
  syncUs: 50,
  syncMs: 0.5,
  appendByteNs: 0.5,
}
const options: ScaleOptions = { validators: 4, linkMs: 5, bitsPerSecond: 1e9, cores: 4, costs, seed: 1, load: { outstanding: 4_000 }, warmBlocks: 8, blocks: 12, transactions: 1_000 }
const run = (changes: Partial<ScaleOptions>): ReturnType<ScaleNetwork['run']> => new ScaleNetwork({ ...options, ...changes }).run()

t.test('replicas say, sign and check what the formulas say', (t) => {
  for (const validators of [4, 5, 8, 13, 31]) {
    for (const transactions of [1, 100]) {
      const blocks = 2 * checkpointInterval
      const counted = countMessages({ validators, blocks, manifest: new Uint8Array(32 * transactions) })
      const cost = blockCost(validators, sizesAt(1, transactions))
      t.strictSame(
        [Object.values(counted.messages).reduce((sum, one) => sum + one, 0), counted.bytes, counted.made, counted.checked],
        [cost.messages, cost.bytes, cost.made, cost.checked].map((one) => one * blocks),
        `${validators} validators, ${transactions} a block`,
      )
      t.ok(cost.checked <= cost.checkedAtMost)
    }
  }
  t.end()
})

t.test('a body costs its own bytes and little more', (t) => {
  t.ok(gossipBytes(1, 300) - 300 < 40)
  t.ok(gossipBytes(100, 300) / 100 - 300 < 4)
  t.ok(gossipBytes(1_000, 300) / 1_000 - 300 < 4)
  t.end()
})

t.test('the same seed and costs give the same run, another seed another', (t) => {
  const [one, again, other] = [1, 1, 2].map((seed) => run({ seed, load: { perSecond: 400 }, transactions: 200 }))
  t.strictSame(one, again)
  t.notSame(one, other)
  t.end()
})

t.test('a quiet network: four hops to the receipt and little more, three at the primary', (t) => {
  for (const linkMs of [5, 30]) {
    const { latencyMs, views, fetched } = run({ linkMs, load: { perSecond: 4 }, blocks: 60, transactions: 60 })
    t.ok(latencyMs.p50 >= 4 * linkMs && latencyMs.p50 < 4 * linkMs + 12, `p50 ${latencyMs.p50} ms over links of ${linkMs} ms`)
    t.ok(latencyMs.max >= 4 * linkMs)
    t.equal(views, 0)
    t.equal(fetched, 0)
  }
  t.end()
})

t.test('what is dear slows the whole down: execution, the line, the disk, the cores', (t) => {
  const usual = run({})
  // what the thread that votes does for each transaction at least
  const floorUs = costs.admitUs + costs.executeUs + costs.storeUs + costs.removeUs
  t.ok(usual.txPerSecond < 1e6 / floorUs && usual.txPerSecond > 0.5e6 / floorUs, `${usual.txPerSecond} tx/s`)
  t.ok(usual.busy.others > 0.9)
  t.ok(run({ costs: { ...costs, executeUs: 300 } }).txPerSecond < 0.7 * usual.txPerSecond)
  const narrow = run({ bitsPerSecond: 5e6 })
  t.ok(narrow.txPerSecond < 0.8 * usual.txPerSecond && narrow.busy.line > 0.9, `${narrow.txPerSecond} tx/s`)
  t.ok(run({ costs: { ...costs, syncMs: 50 }, load: { perSecond: 20 }, blocks: 20, transactions: 20 }).latencyMs.p50 > 100)
  const shared = run({ shared: true, cores: 2 })
  t.ok(shared.txPerSecond < 0.6 * usual.txPerSecond, `${shared.txPerSecond} tx/s on one machine`)
  t.throws(() => run({ validators: 5 }), { message: /the calibration has no steps of 5 validators/ })
  t.end()
})

t.test('a line: one message after the other out, and in', (t) => {
  const kernel = new Kernel()
  const [a, b, c] = [8e6, 8e6, 8e6].map((bitsPerSecond) => new Line(kernel, bitsPerSecond)) as [Line, Line, Line]
  const ms = wireBytes(1_000) / 1_000
  const arrived: number[] = []
  for (const from of [a, a, c]) from.send(1_000, 10, b, () => arrived.push(kernel.nowMs))
  kernel.runUntil(1_000, () => false)
  t.strictSame(arrived.map((at) => Number(at.toFixed(6))), [10 + ms, 10 + 2 * ms, 10 + 3 * ms].map((at) => Number(at.toFixed(6))))
  t.end()
})
