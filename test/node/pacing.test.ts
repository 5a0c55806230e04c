// When a primary makes its next block: at once when nothing is under way, and else no more often than pays.
import t from 'tap'
import type { Propose } from '../../consensus/output.ts'
import { paceBlocksRemembered, paceGapMs, paceMaxMs, paceMinMs, paceShareOfView } from '../../node/limits.ts'
import { createPacing, type Pacing } from '../../node/pacing.ts'
import { zeroHash } from '../../primitives/hash.ts'
import type { Height, TimeMs, View } from '../../primitives/brand.ts'
import { createManualClock } from '../support/manual-clock.ts'

interface Rig {
  readonly pacing: Pacing
  readonly made: number[]
  readonly clock: ReturnType<typeof createManualClock>
  committed: number
  view: number
  waiting: number
}

function rig(viewTimeoutMs = 10_000): Rig {
  const made: number[] = []
  const clock = createManualClock()
  const one: Rig = {
    made,
    clock,
    committed: 0,
    view: 0,
    waiting: 1,
    pacing: createPacing({ clock, committed: () => one.committed as Height, view: () => one.view as View, waiting: () => one.waiting, enough: 10, viewTimeoutMs, make: ({ height }) => void made.push(height) }),
  }
  return one
}

const ask = (height: number, view = 0): Propose => ({ view: view as View, height: height as Height, parent: zeroHash, parentTimeMs: 0 as TimeMs })

t.test('with nothing under way a block is made at once', async (t) => {
  const one = rig()
  one.pacing.ask(ask(1))
  one.committed = 1
  one.pacing.ask(ask(2))
  t.same(one.made, [1, 2])
})

t.test('while one is under way the next waits until it is final', async (t) => {
  const one = rig()
  one.pacing.ask(ask(1))
  one.pacing.ask(ask(2))
  await one.clock.advance(paceGapMs)
  one.pacing.look()
  t.same(one.made, [1])
  one.committed = 1
  one.pacing.look()
  t.same(one.made, [1, 2])
  await one.clock.advance(10 * paceMinMs)
  t.same(one.made, [1, 2], 'once')
})

/** Block 1 is final 5 ms after it was made, while the next is asked for and so much waits. */
async function finalSoon(waiting: number): Promise<Rig> {
  const one = rig()
  one.pacing.ask(ask(1))
  one.pacing.ask(ask(2))
  await one.clock.advance(5)
  one.waiting = waiting
  one.committed = 1
  one.pacing.look()
  return one
}

t.test('and a little longer when it is final very soon', async (t) => {
  const one = await finalSoon(1)
  await one.clock.advance(paceGapMs - 6)
  t.same(one.made, [1])
  await one.clock.advance(1)
  t.same(one.made, [1, 2])
})

t.test('but not when nothing has come meanwhile: what comes then finds nothing under way', async (t) => {
  const one = await finalSoon(0)
  t.same(one.made, [1, 2], 'the driver finds nothing, and says so')
  one.waiting = 1
  one.pacing.ask(ask(2))
  t.same(one.made, [1, 2, 2])
})

t.test('or until much has come', async (t) => {
  const one = rig()
  one.pacing.ask(ask(1))
  one.pacing.ask(ask(2))
  one.waiting = 9
  one.pacing.look()
  t.same(one.made, [1])
  one.waiting = 10
  one.pacing.look()
  t.same(one.made, [1, 2])
  one.pacing.ask(ask(3))
  t.same(one.made, [1, 2, 3], 'the pipeline fills as long as it does')
})

t.test('or for some time, counted from the last block: over slow links several are under way', async (t) => {
  const one = rig()
  one.pacing.ask(ask(1))
  await one.clock.advance(paceMinMs - 1)
  one.pacing.ask(ask(2))
  t.same(one.made, [1])
  await one.clock.advance(1)
  t.same(one.made, [1, 2])
  one.pacing.ask(ask(3))
  await one.clock.advance(paceMinMs)
  t.same(one.made, [1, 2, 3])
})

/** Makes a block that is final after `ms`, and then one more; resolves to how long a third waits for that one, which is final 20 ms later. */
async function waits(one: Rig, ms: number): Promise<number> {
  const first = one.committed + 1
  one.pacing.ask(ask(first, one.view))
  await one.clock.advance(ms)
  one.committed = first
  one.pacing.ask(ask(first + 1, one.view))
  one.pacing.ask(ask(first + 2, one.view))
  let waited = 0
  for (; one.made.at(-1) !== first + 2 && waited < 1_000; waited++) await one.clock.advance(1)
  await one.clock.advance(20)
  one.committed = first + 2
  one.pacing.look()
  return waited
}

t.test('when blocks take longer than the quickest did, the next waits as long as that is more, within bounds', async (t) => {
  const one = rig()
  t.equal(await waits(one, 20), paceMinMs, 'the quickest so far')
  t.equal(await waits(one, 20 + paceMinMs + 77), paceMinMs + 77)
  t.equal(await waits(one, 10_000), paceMaxMs)
  t.equal(await waits(one, 30), paceMinMs, 'and back')
  t.same(one.made, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  t.equal(await waits(rig(500), 20), paceMinMs)
  const hurried = rig(500)
  await waits(hurried, 20)
  t.equal(await waits(hurried, 10_000), paceShareOfView * 500)
})

t.test('the quickest is one of late: who lies further apart for good is not taken for busy', async (t) => {
  const one = rig()
  await waits(one, 20)
  t.equal(await waits(one, 170), 150)
  for (let i = 0; i < 2 * paceBlocksRemembered; i++) {
    one.pacing.ask(ask(one.committed + 1))
    await one.clock.advance(170)
    one.committed++
    one.pacing.look()
  }
  t.equal(await waits(one, 170), paceMinMs)
})

t.test('blocks of a view that was left are not measured', async (t) => {
  const one = rig()
  await waits(one, 20)
  one.pacing.ask(ask(one.committed + 1))
  await one.clock.advance(10_000)
  one.view = 1
  one.committed++
  one.pacing.look()
  one.pacing.ask(ask(one.committed + 1, 1))
  one.pacing.ask(ask(one.committed + 2, 1))
  await one.clock.advance(paceMinMs)
  t.equal(one.made.at(-1), one.committed + 2)
})

t.test('a pace that becomes slower while a block waits is waited for, and then it is made', async (t) => {
  const one = rig()
  await waits(one, 20)
  const first = one.committed + 1
  one.pacing.ask(ask(first))
  await one.clock.advance(120)
  one.pacing.ask(ask(first + 1))
  one.pacing.ask(ask(first + 2))
  t.equal(one.made.at(-1), first + 1)
  one.committed = first
  one.pacing.look()
  await one.clock.advance(99)
  t.equal(one.made.at(-1), first + 1)
  await one.clock.advance(1)
  t.equal(one.made.at(-1), first + 2)
})

t.test('a question of a view that was left is dropped, and nothing is made after the end', async (t) => {
  const one = rig()
  one.pacing.ask(ask(1))
  one.pacing.ask(ask(2))
  one.view = 1
  await one.clock.advance(paceMinMs)
  t.same(one.made, [1])
  one.pacing.ask(ask(2, 1))
  one.pacing.ask(ask(3, 1))
  one.pacing.stop()
  await one.clock.advance(paceMinMs)
  t.same(one.made, [1, 2])
})
