// The load: citizens register and spend points, at a rate that does not ask how the network does. Each transaction is handed in at a node of chance and
// waited for; without an answer the same bytes go to another, as a citizen's app would, so that the network sees many of them more than once. What was
// answered is kept as acknowledged; what never was is unknown: it may have run or not, but at most once.
import { setTimeout as pause } from 'node:timers/promises'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { buildTransaction, type Client, createClient, DongbaekError, type KindName, type PayloadOf, randomSeed, type ReceiptJson, signTransaction, type SignedTransaction, submitAndWait, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import type { Random } from '../durability/random.ts'
import type { Field } from './field.ts'

export const fund = 'chaos-fund'
const tier = 'household'
export const grantWon = 1_000_000_000
const citizenCount = 16
const dayMs = 86_400_000
const setUpMs = 60_000
/** The share of registrations; all else is spending. */
const registerShare = 0.3
const amountMax = 5_000
/** One try at one node. */
const askMs = 2_000
const waitMs = 3_000
const againMs = 100
/** Then the fate of a transaction stays open. */
const giveUpMs = 30_000
/** Answers of a node that is not at fault by giving them. */
const passing = /^(?:client|node|mempool|verifier)\/|^rpc\/(?:stopping|rate-limited)$|^tx\/(?:not-final|duplicate)$/

/** A transaction that was handed in. */
export interface Sent {
  readonly id: string
  readonly kind: 'spend' | 'register'
  readonly citizen: string
  /** Of a spend; 0 otherwise. */
  readonly amount: number
}

export interface Load {
  readonly sent: ReadonlyMap<string, Sent>
  /** Receipts as they were answered, in that order. */
  readonly acknowledged: readonly ReceiptJson[]
  readonly unknown: ReadonlySet<string>
  readonly citizens: readonly string[]
  /** The height at which the fund stood ready, and how many transactions it took. */
  readonly startedAt: number
  readonly preparations: number
  /** Errors that were answered instead, by code. */
  readonly errors: ReadonlyMap<string, number>
  /** Sends no more, and waits for what is under way. */
  readonly stop: () => Promise<void>
}

/** Makes the citizens and the fund, then begins. Throws when the fund cannot be made. `onWrong`: a node answered what it must not. */
export async function startLoad(field: Field, perSecond: number, random: Random, onWrong: (what: string) => void): Promise<Load> {
  const { network } = field
  const office = (id: string): Wallet => walletFromSeed(network.seedOf(id))
  const [registrar, officer, shop] = [office('registrar'), office('officer'), office('bookshop')]
  const citizens = Array.from({ length: citizenCount }, () => walletFromSeed(randomSeed()))
  const make = <K extends KindName>(kind: K, payload: PayloadOf<K>, signers: readonly [Wallet, ...Wallet[]]): Promise<SignedTransaction> =>
    signTransaction(buildTransaction({ chain: network.chainId, kind, sender: signers[0], countersigners: signers.slice(1), payload }), signers)
  const register = (wallet: Wallet): Promise<SignedTransaction> => make('did.register', { keys: [wallet.didKey], services: [], recovery: undefined }, [wallet, registrar])
  const startedAt = await setUp(createClient({ urls: field.sites.map(({ node }) => node.rpc) }), citizens, register, make, officer)

  const clients: readonly Client[] = field.sites.map(({ node }) => createClient({ url: node.rpc, timeoutMs: askMs, rounds: 1 }))
  const sent = new Map<string, Sent>()
  const acknowledged: ReceiptJson[] = []
  const unknown = new Set<string>()
  const errors = new Map<string, number>()
  const underWay = new Set<Promise<void>>()
  let stopped = false

  const answered = (error: unknown): void => {
    const code = error instanceof DongbaekError ? error.code : 'not an error of ours'
    errors.set(code, (errors.get(code) ?? 0) + 1)
    if (!passing.test(code)) onWrong(`a node answered ${code}: ${(error as Error).message}`)
  }

  const settle = async (bytes: Uint8Array, { id, kind, citizen }: Sent): Promise<void> => {
    const until = performance.now() + giveUpMs
    unknown.add(id)
    while (performance.now() < until) {
      const client = random.pick(clients)
      try {
        await client.call('tx_submit', { transaction: toBase64url(bytes) }).catch(answered)
        const receipt = await client.call('tx_wait', { id, timeoutMs: waitMs }, { waitMs })
        acknowledged.push(receipt)
        unknown.delete(id)
        if (receipt.id !== id || receipt.status !== 'ok') onWrong(`the ${kind} ${id} of ${citizen} was answered with ${JSON.stringify(receipt)}`)
        return
      } catch (error) {
        answered(error)
        await pause(againMs)
      }
    }
  }

  const send = async (): Promise<void> => {
    if (random.next() < registerShare) {
      const wallet = walletFromSeed(randomSeed())
      const signed = await register(wallet)
      return go(signed, { id: toBase64url(signed.id), kind: 'register', citizen: wallet.did, amount: 0 })
    }
    const wallet = random.pick(citizens)
    const amount = random.between(1, amountMax)
    const signed = await make('points.spend', { program: fund, merchant: shop.did, amount: amount as Won }, [wallet])
    return go(signed, { id: toBase64url(signed.id), kind: 'spend', citizen: wallet.did, amount })
  }
  const go = (signed: SignedTransaction, what: Sent): Promise<void> => {
    sent.set(what.id, what)
    return settle(signed.bytes, what)
  }

  const running = (async () => {
    const startedMs = performance.now()
    for (let due = 0; !stopped; due++) {
      await pause(Math.max(0, startedMs + (due * 1_000) / perSecond - performance.now()))
      const lane = send().finally(() => underWay.delete(lane))
      underWay.add(lane)
    }
  })()

  return {
    sent,
    acknowledged,
    unknown,
    citizens: citizens.map(({ did }) => did),
    startedAt,
    preparations: citizenCount + 2,
    errors,
    stop: async () => {
      stopped = true
      await running
      await Promise.all(underWay)
    },
  }
}

async function setUp(
  client: Client,
  citizens: readonly Wallet[],
  register: (wallet: Wallet) => Promise<SignedTransaction>,
  make: <K extends KindName>(kind: K, payload: PayloadOf<K>, signers: readonly [Wallet, ...Wallet[]]) => Promise<SignedTransaction>,
  officer: Wallet,
): Promise<number> {
  const done = async (signed: SignedTransaction): Promise<number> => {
    const { status, code, height } = await submitAndWait(client, signed, { timeoutMs: setUpMs })
    if (status !== 'ok') throw new Error(`the fund for the load could not be made: ${code}`)
    return height
  }
  await Promise.all(citizens.map(async (wallet) => done(await register(wallet))))
  const nowMs = Date.now()
  const at = (days: number): TimeMs => (nowMs + days * dayMs) as TimeMs
  await done(
    await make(
      'points.openProgram',
      {
        program: fund,
        budget: (citizenCount * grantWon) as Won,
        terms: {
          kind: 'points',
          title: 'Fund of the chaos run',
          tiers: [{ tier, amount: grantWon as Won }],
          applicationOpensMs: at(-1),
          applicationClosesMs: at(30),
          useOpensMs: at(-1),
          useClosesMs: at(60),
          categories: ['bookshop'],
          decide: 'officer',
          leftover: 'reclaimed',
        },
      } as PayloadOf<'points.openProgram'>,
      [officer],
    ),
  )
  const grants = citizens.map(({ did }) => ({ did, tier, pseudonym: randomSeed(), expiresMs: undefined }))
  return done(await make('points.issue', { program: fund, grants } as PayloadOf<'points.issue'>, [officer]))
}
