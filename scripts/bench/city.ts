// The city that a benchmark runs in: citizens, shops, an open programme with grants, slots to reserve; made through the chain itself before the
// clock runs. Then it makes the transactions of the mixes, each of which the rules must accept.
import { randomBytes } from 'node:crypto'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { buildTransaction, type KindName, type PayloadOf, randomSeed, signTransaction, type SignedTransaction, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import { accountGrantsMax, issueBatchMax } from '../../state/points/limits.ts'
import type { Network } from '../devnet/network.ts'
import type { Load } from './load.ts'
import { prepare } from './pool.ts'

const dayMs = 86_400_000
/** Within the half hour that the preset allows. */
const validityMs = 25 * 60_000
const citizenCount = 1_000
const merchantCount = 20
const slotCount = 200
const tier = 'household'
const grantWon = 1_000_000_000 as Won
export const spendWon = 100 as Won
/** The fund that is spent from. */
export const spendFund = 'bench-fund'
/** Another, which grants one won at a time during the run. */
export const issueFund = 'bench-drip'

export type Make = () => Promise<SignedTransaction>

export interface City {
  readonly spend: Make
  readonly reserve: Make
  readonly register: Make
  readonly issue: Make
  readonly anchor: Make
}

/** Registers, opens and issues what the load needs. Throws unless every step is final with status ok. */
export async function buildCity({ chainId, seedOf, genesis }: Network, load: Load): Promise<City> {
  const office = (id: string): Wallet => walletFromSeed(seedOf(id))
  const [registrar, officer, operator, issuer] = [office('registrar'), office('officer'), office('operator'), office('issuer')]
  const wallets = (count: number): readonly Wallet[] => Array.from({ length: count }, () => walletFromSeed(randomSeed()))
  const [citizens, merchants] = [wallets(citizenCount), wallets(merchantCount)]

  const make = async <K extends KindName>(kind: K, payload: PayloadOf<K>, sender: Wallet, ...others: readonly Wallet[]): Promise<SignedTransaction> =>
    signTransaction(buildTransaction({ chain: chainId, kind, sender, countersigners: others, payload, validUntilMs: Date.now() + validityMs }), [sender, ...others])
  const done = async (what: string, transactions: readonly Promise<SignedTransaction>[]): Promise<void> => load.finish((await Promise.all(transactions)).map(prepare), what)
  const register = async (wallet: Wallet): Promise<SignedTransaction> => make('did.register', { keys: [wallet.didKey], services: [], recovery: undefined }, wallet, registrar)
  const issueTo = async (program: string, to: readonly Wallet[]): Promise<SignedTransaction> =>
    make('points.issue', { program, grants: to.map(({ did }) => ({ did, tier, pseudonym: randomBytes(32), expiresMs: undefined })) }, officer)

  await done('registering citizens and shops', [...citizens, ...merchants].map(register))
  await done('registering merchants', merchants.map(async ({ did }) => make('points.registerMerchant', { merchant: did, category: 'bookshop', livingArea: undefined }, officer)))
  const nowMs = Date.now()
  const time = (ms: number): TimeMs => ms as TimeMs
  const open = async (program: string, amount: Won): Promise<SignedTransaction> =>
    make(
      'points.openProgram',
      {
        program,
        budget: 2_000_000_000_000 as Won,
        terms: {
          kind: 'points',
          title: 'Fund of the benchmark',
          tiers: [{ tier, amount }],
          applicationOpensMs: time(nowMs - dayMs),
          applicationClosesMs: time(nowMs + 30 * dayMs),
          useOpensMs: time(nowMs - dayMs),
          useClosesMs: time(nowMs + 60 * dayMs),
          categories: ['bookshop'],
          capPerCitizen: undefined,
          capPerPurchase: undefined,
          ownShare: undefined,
          decide: 'officer',
          grantsMax: undefined,
          leftover: 'reclaimed',
        },
      },
      officer,
    )
  await done('opening the programmes', [open(spendFund, grantWon), open(issueFund, 1 as Won)])
  const batches = Array.from({ length: Math.ceil(citizenCount / issueBatchMax) }, (_, i) => citizens.slice(i * issueBatchMax, (i + 1) * issueBatchMax))
  await done('granting', batches.map(async (batch) => issueTo(spendFund, batch)))

  const { facilities } = genesis.state['reservation'] as { readonly facilities: readonly { readonly id: string }[] }
  const slots = Array.from({ length: slotCount }, (_, i) => {
    const startsMs = nowMs + (10 + i) * dayMs
    return { id: `bench-slot-${i}`, startsMs: time(startsMs), endsMs: time(startsMs + 3_600_000), opensMs: time(nowMs - dayMs), closesMs: time(nowMs + 9 * dayMs), cancelUntilMs: time(nowMs + 9 * dayMs), capacity: citizenCount, waitlistMax: 0 }
  })
  await done('opening slots', [make('reservation.openSlots', { facility: facilities[0]?.id ?? '', course: undefined, qualification: undefined, slots }, operator)])

  const counter = (name: string, max = Number.MAX_SAFE_INTEGER): (() => number) => {
    let used = 0
    return () => {
      if (used >= max) throw new Error(`the city of the benchmark has no more than ${max} ${name}: run fewer seconds`)
      return used++
    }
  }
  const pick = <T>(from: readonly T[], at: number): T => from[at % from.length] as T
  const [spends, reservations, grants] = [counter('spends'), counter('reservations', citizenCount * slotCount), counter('grants', citizenCount * accountGrantsMax)]
  return {
    spend: async () => {
      const at = spends()
      return make('points.spend', { program: spendFund, merchant: pick(merchants, at).did, amount: spendWon, ownShareMax: undefined, reference: undefined }, pick(citizens, at))
    },
    reserve: async () => {
      const at = reservations()
      return make('reservation.reserve', { slot: `bench-slot-${Math.floor(at / citizenCount)}`, attestation: undefined }, pick(citizens, at))
    },
    register: async () => register(walletFromSeed(randomSeed())),
    issue: async () => issueTo(issueFund, [pick(citizens, grants())]),
    anchor: async () => make('credential.anchor', { hashes: [randomBytes(32) as Uint8Array as PayloadOf<'credential.anchor'>['hashes'][number]] }, issuer),
  }
}
