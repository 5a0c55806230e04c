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

const blocks = Array.from({ length: 12 }, (_, i) => finalBlock(makePayload(i + 1, [makeTransaction(`${i}`)])))
const honest = (from: number, count: number): readonly SyncBlock[] => blocks.slice(from - 1, from - 1 + count)

interface Rig {
  readonly clock: ManualClock
  readonly follower: Follower
  readonly blamed: string[]
  readonly asked: string[]
  committed: number
  executed: number
}

function rig(peers: Readonly<Record<string, (from: number, count: number) => readonly SyncBlock[]>>, changes: Partial<FollowerContext> & { readonly takes?: (rig: Rig, height: number) => void } = {}): Rig {
  const clock = createManualClock()
  const one: Rig = {
    clock,
    blamed: [],
    asked: [],
    committed: 0,
    executed: 0,
    follower: createFollower({
      transport: {
        request: async (peer, _protocol, question) => {
          one.asked.push(peer)
          const { from, count } = decodeSyncQuestion(question)
          const answer = peers[peer]
          if (answer === undefined) throw new DongbaekError('transport/not-connected', 'away')
          return encodeSyncAnswer({ blocks: answer(from, count), head: 12 as Height, top: 12 as Height })
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

t.test('a replica that ignores a block is given it again instead of being waited for', async (t) => {
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
