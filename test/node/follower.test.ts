// Catching up from peers that lie, from a replica that does not take what it is given, and with a verifier that is busy.
import t from 'tap'
import type { Decision } from '../../consensus/certificate.ts'
import type { ValidatorSet } from '../../consensus/validators.ts'
import { scheduleOf } from '../../consensus/validators.ts'
import { blockHash } from '../../consensus/block.ts'
import { voteBytes } from '../../consensus/votes.ts'
import type { Height, View } from '../../primitives/brand.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { keyPairFromSeed, sign, verify } from '../../primitives/ed25519.ts'
import { decodeSyncQuestion, encodeSyncAnswer, type SyncBlock } from '../../node/exchange.ts'
import { syncHedgeMs, syncRangeBlocks, syncRangesMax, syncTimeoutMs } from '../../node/limits.ts'
import { createFollower, type Follower, type FollowerContext } from '../../node/follower.ts'
import { silentLog } from '../../node/log.ts'
import type { Payload } from '../../node/payloads.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { makePayload, makeTransaction, testChain } from '../support/transactions.ts'

const pairs = [1, 2, 3, 4].map((n) => keyPairFromSeed(new Uint8Array(32).fill(n)))
const set: ValidatorSet = { validators: pairs.map(({ publicKey }, i) => ({ name: `validator-${i}`, organisation: 'busan', publicKey })), minimums: [] }

function finalBlock(payload: Payload): SyncBlock {
  const { header, references, transactions } = payload
  const hash = blockHash(header)
  const signed = voteBytes('commit', testChain, 0 as View, header.height, hash)
  const decision: Decision = { header, certificate: { view: 0 as View, height: header.height, blockHash: hash, signatures: pairs.slice(0, 3).map((pair, validator) => ({ validator, signature: sign(signed, pair) })) } }
  return { decision, references, envelopes: transactions.map(({ transaction }) => transaction.bytes) }
}

const length = 8 * syncRangeBlocks + 5
const blocks = Array.from({ length }, (_, i) => finalBlock(makePayload(i + 1, [makeTransaction(`${i}`)])))
const honest = (from: number, count: number): readonly SyncBlock[] => blocks.slice(from - 1, from - 1 + count)
const never = new Promise<never>(() => undefined)

interface Rig {
  readonly clock: ManualClock
  readonly follower: Follower
  readonly blamed: string[]
  readonly asked: string[]
  readonly from: number[]
  committed: number
  executed: number
}

type Answerer = (from: number, count: number) => readonly SyncBlock[] | Promise<readonly SyncBlock[]>

function rig(peers: Readonly<Record<string, Answerer>>, changes: Partial<FollowerContext> & { readonly takes?: (rig: Rig, height: number) => void } = {}): Rig {
  const clock = createManualClock()
  const one: Rig = {
    clock,
    blamed: [],
    asked: [],
    from: [],
    committed: 0,
    executed: 0,
    follower: createFollower({
      transport: {
        request: async (peer, _protocol, question) => {
          one.asked.push(peer)
          const { from, count } = decodeSyncQuestion(question)
          one.from.push(from)
          const answer = peers[peer]
          if (answer === undefined) throw new DongbaekError('transport/not-connected', 'away')
          const head = (peer.startsWith('liar') ? Number.MAX_SAFE_INTEGER : length) as Height
          const given = await Promise.race([answer(from, count), new Promise<undefined>((resolve) => clock.after(syncTimeoutMs, () => resolve(undefined)))])
          if (given === undefined) throw new DongbaekError('transport/timeout', 'no answer')
          return encodeSyncAnswer({ blocks: given, head, top: head, epoch: 1 as Height, view: 0 as View })
        },
        blame: (peer) => void one.blamed.push(peer),
      },
      verifier: { verifyBatch: async (items) => items.map(({ publicKey, message, signature }) => verify(signature, message, publicKey)) },
      clock,
      log: silentLog,
      context: () => ({ chain: testChain, genesis: { height: 0 as Height, hash: new Uint8Array(32) as never, timeMs: 0 as never }, schedule: scheduleOf([{ activation: 1 as Height, set }], one.executed as Height, 64) }),
      committed: () => one.committed as Height,
      checkpoint: () => 0 as Height,
      executed: () => one.executed as Height,
      aheadMax: 4,
      take: ({ header }) => (changes.takes ?? taking)(one, header.height),
      takeCheckpoint: () => {},
      far: () => {},
      held: () => false,
      onFatal: (error) => {
        throw error
      },
      ...changes,
    }),
  }
  return one
}

function taking(one: Rig, height: number): void {
  if (height === one.committed + 1) one.committed = one.executed = height
}

t.test('blocks are fetched past peers that are away, claim what is not there, or send what does not hold', async (t) => {
  const forged = (from: number, count: number): readonly SyncBlock[] =>
    honest(from, count).map((block) => ({ ...block, decision: { ...block.decision, certificate: { ...block.decision.certificate, signatures: block.decision.certificate.signatures.map((entry) => ({ ...entry, signature: new Uint8Array(64) })) } } }))
  const one = rig({ empty: () => [], forger: forged, honest })
  one.follower.follow(12 as Height, ['away', 'empty', 'forger', 'honest'])
  await one.clock.advance(1_000)
  t.equal(one.committed, 12)
  t.same([...new Set(one.blamed)], ['forger'])
})

t.test('blocks are handed in as fast as they are executed, not by the clock', async (t) => {
  const one = rig({ honest }, {
    takes: (rig, height) => {
      rig.committed = height
      setImmediate(() => {
        rig.executed = height
        rig.follower.advance()
      })
    },
  })
  one.follower.follow(40 as Height, ['honest'])
  for (let turn = 0; turn < 2_000 && one.executed < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(one.executed, 40, 'with a clock that stands still')
  await one.follower.stop()
})

t.test('a claim alone is not shown as something to catch up with', async (t) => {
  const one = rig({ liar: () => [] })
  one.follower.follow(Number.MAX_SAFE_INTEGER as Height, ['liar'])
  t.equal(one.follower.target(), 0)
  await one.clock.advance(10_000)
  t.equal(one.follower.target(), 0)
})

t.test('nobody is blamed because our own verifier is busy', async (t) => {
  let busy = true
  const one = rig({ honest }, {
    verifier: {
      verifyBatch: async (items) => {
        if (busy) throw new DongbaekError('verifier/busy', 'too much to do')
        return items.map(() => true)
      },
    },
  })
  one.follower.follow(3 as Height, ['honest'])
  await one.clock.advance(5_000)
  t.same([one.blamed, one.committed], [[], 0])
  busy = false
  one.follower.follow(3 as Height, ['honest'])
  await one.clock.advance(5_000)
  t.equal(one.committed, 3)
})

t.test('fabric #5076: a replica that ignores a block is given it again instead of being waited for', async (t) => {
  let refuse = true
  const one = rig({ honest }, {
    takes: (self, height) => {
      // the one moment in which execution had not been told to the replica yet
      if (height === 3 && refuse) refuse = false
      else taking(self, height)
    },
  })
  one.follower.follow(12 as Height, ['honest'])
  await one.clock.advance(10_000)
  one.follower.follow(12 as Height, ['honest'])
  await one.clock.advance(10_000)
  t.equal(one.committed, 12)
})

t.test('no wake-up is lost, whenever it comes', async (t) => {
  for (let depth = 0; depth < 16; depth++) {
    const one = rig({ honest })
    one.follower.follow(1 as Height, ['honest'])
    const wait = async (): Promise<void> => {
      while (one.committed < 1) await Promise.resolve()
      for (let i = 0; i < depth; i++) await Promise.resolve()
      one.follower.follow(2 as Height, ['honest'])
    }
    const waited = wait()
    await one.clock.advance(5_000)
    await waited
    await one.clock.advance(5_000)
    t.equal(one.committed, 2, `${depth} turns later`)
  }
})

t.test('several peers are asked at once, and what they send is handed in in order', async (t) => {
  const waiting: (() => void)[] = []
  const held: Answerer = async (from, count) => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    return honest(from, count)
  }
  const one = rig({ a: held, b: held, c: held })
  one.follower.follow(length as Height, ['a', 'b', 'c'])
  const answerAll = async (): Promise<void> => {
    await one.clock.advance(0)
    // the last asked answers first
    for (const answer of waiting.splice(0).reverse()) answer()
    await one.clock.advance(200)
  }
  await answerAll()
  await one.clock.advance(0)
  t.equal(waiting.length, 3, 'each has a range of its own')
  while (one.committed < length) await answerAll()
  t.same([...new Set(one.asked)].sort(), ['a', 'b', 'c'])
  t.equal(one.from.length, new Set(one.from).size, 'nothing is asked for twice')
})

t.test('CometBFT ASA-2025-001: lying sync height. Liars that claim any height and send nothing, or keep one waiting, neither block nor mislead', async (t) => {
  for (const lie of [() => [], () => never] satisfies readonly Answerer[]) {
    const one = rig({ 'liar-1': lie, 'liar-2': lie, a: honest, b: honest, c: honest })
    const claim = (): void => {
      for (const liar of ['liar-1', 'liar-2']) one.follower.follow(Number.MAX_SAFE_INTEGER as Height, [liar, 'a', 'b', 'c'], liar)
    }
    claim()
    one.follower.follow(length as Height, ['liar-1', 'liar-2', 'a', 'b', 'c'])
    let highest = 0
    for (let i = 0; i < 40 && one.committed < length; i++) {
      claim()
      await one.clock.advance(250)
      highest = Math.max(highest, one.follower.target())
    }
    t.equal(one.committed, length)
    t.ok(highest <= length, 'no height is shown that only liars claim')
    await one.clock.advance(3 * syncTimeoutMs)
    t.equal(one.follower.target(), length, 'nothing is waited for that nobody has')
    const before = one.asked.length
    for (let i = 0; i < 20; i++) {
      claim()
      await one.clock.advance(100)
    }
    t.ok(one.asked.length - before < 20, `claims of those who could not supply are not run after (${one.asked.length - before} questions)`)
    await one.follower.stop()
  }
})

t.test('a range that a peer keeps is asked of another, and memory stays bounded meanwhile', async (t) => {
  const one = rig({ slow: () => never, a: honest })
  one.follower.follow(length as Height, ['slow', 'a'])
  await one.clock.advance(syncHedgeMs - 500)
  t.equal(one.committed, 0)
  t.ok(Math.max(...one.from) <= 1 + syncRangesMax * syncRangeBlocks, 'no more than the window is fetched ahead')
  await one.clock.advance(5_000)
  t.equal(one.committed, length)
  t.ok(one.asked.filter((peer) => peer === 'slow').length <= 2)
})

t.test('blocks that were not asked for are refused, and so are more than were', async (t) => {
  const one = rig({ shifted: (from, count) => honest(from + 1, count), more: (from, count) => honest(from, count + 1), a: honest })
  one.follower.follow((length - 1) as Height, ['shifted', 'more', 'a'])
  await one.clock.advance(5_000)
  t.equal(one.committed, length - 1)
  t.same([...new Set(one.blamed)].sort(), ['more', 'shifted'])
})
