// The city that a benchmark runs in: citizens, an open programme with grants, slots to reserve; made through the chain itself before the clock runs.
import { randomBytes } from 'node:crypto'
import type { Won } from '../../primitives/brand.ts'
import { buildTransaction, type Client, type KindName, type PayloadOf, randomSeed, signTransaction, type SignedTransaction, submitAndWait, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import { issueBatchMax } from '../../state/points/limits.ts'
import type { Network } from '../devnet/network.ts'

const dayMs = 86_400_000
const program = 'bench-fund'
const tier = 'household'
const grantWon = 1_000_000_000 as Won
const slotCount = 200
const citizenCount = 400
const waitMs = 60_000
const registrationsAtOnce = 100

export type Make = () => Promise<SignedTransaction>

export interface City {
  readonly program: string
  readonly spend: Make
  readonly reserve: Make
  readonly register: Make
  readonly issue: Make
  readonly anchor: Make
}

/** Registers, opens and issues what the load needs. Every step must be final with status ok. */
export async function buildCity(network: Network, client: Client): Promise<City> {
  const { chainId, seedOf } = network
  const office = (id: string): Wallet => walletFromSeed(seedOf(id))
  const [registrar, officer, operator, issuer, bookshop] = [office('registrar'), office('officer'), office('operator'), office('issuer'), office('bookshop')]
  const citizens = Array.from({ length: citizenCount }, () => walletFromSeed(randomSeed()))
  const make = async <K extends KindName>(kind: K, payload: PayloadOf<K>, signers: readonly Wallet[]): Promise<SignedTransaction> => {
    const [sender] = signers as [Wallet]
    return signTransaction(buildTransaction({ chain: chainId, kind, sender: sender.did, payload, validUntilMs: Date.now() + 25 * 60_000 }), signers)
  }
  const done = async (transaction: Promise<SignedTransaction>): Promise<void> => {
    const receipt = await submitAndWait(client, await transaction, { timeoutMs: waitMs })
    if (receipt.status !== 'ok') throw new Error(`preparing the city: ${receipt.code}`)
  }
  const register = (wallet: Wallet): Promise<SignedTransaction> => make('did.register', { keys: [wallet.didKey], services: [], recovery: undefined }, [wallet, registrar])
  for (let from = 0; from < citizens.length; from += registrationsAtOnce) await Promise.all(citizens.slice(from, from + registrationsAtOnce).map((wallet) => done(register(wallet))))

  const nowMs = Date.now()
  const time = (ms: number): never => Math.floor(ms) as never
  await done(
    make(
      'points.openProgram',
      {
        program,
        budget: 2_000_000_000_000 as Won,
        terms: {
          kind: 'points',
          title: 'Fund of the benchmark',
          tiers: [{ tier, amount: grantWon }],
          applicationOpensMs: time(nowMs - dayMs),
          applicationClosesMs: time(nowMs + 30 * dayMs),
          useOpensMs: time(nowMs - dayMs),
          useClosesMs: time(nowMs + 60 * dayMs),
          categories: ['bookshop'],
          decide: 'officer',
          leftover: 'reclaimed',
        },
      } as PayloadOf<'points.openProgram'>,
      [officer],
    ),
  )
  const issueTo = (wallets: readonly { readonly did: Wallet['did'] }[], by: Wallet = officer, to = program): Promise<SignedTransaction> =>
    make('points.issue', { program: to, grants: wallets.map(({ did }) => ({ did, tier, pseudonym: randomBytes(32), expiresMs: undefined })) } as PayloadOf<'points.issue'>, [by])
  for (let from = 0; from < citizens.length; from += issueBatchMax) await done(issueTo(citizens.slice(from, from + issueBatchMax)))

  // a second fund, for issuing during the run: its grants are of one won
  await done(
    make(
      'points.openProgram',
      { program: 'bench-drip', budget: 1_000_000_000 as Won, terms: { kind: 'points', title: 'Drip of the benchmark', tiers: [{ tier, amount: 1 as Won }], applicationOpensMs: time(nowMs - dayMs), applicationClosesMs: time(nowMs + 30 * dayMs), useOpensMs: time(nowMs - dayMs), useClosesMs: time(nowMs + 60 * dayMs), categories: ['bookshop'], decide: 'officer', leftover: 'reclaimed' } } as PayloadOf<'points.openProgram'>,
      [officer],
    ),
  )
  const facility = network.genesis.state['reservation'] as { readonly facilities: readonly { readonly id: string }[] }
  const slots = Array.from({ length: slotCount }, (_, i) => `bench-slot-${i}`)
  await done(
    make(
      'reservation.openSlots',
      {
        facility: (facility.facilities[0] as { id: string }).id,
        slots: slots.map((id, i) => ({ id, startsMs: time(nowMs + (10 + i) * dayMs), endsMs: time(nowMs + (10 + i) * dayMs + 3_600_000), opensMs: time(nowMs - dayMs), closesMs: time(nowMs + 9 * dayMs), cancelUntilMs: time(nowMs + 9 * dayMs), capacity: 100_000, waitlistMax: 0 })),
      } as PayloadOf<'reservation.openSlots'>,
      [operator],
    ),
  )

  let turn = 0
  const next = <T>(from: readonly T[]): T => from[turn++ % from.length] as T
  let reservation = 0
  return {
    program,
    spend: async () => make('points.spend', { program, merchant: bookshop.did, amount: 100 as Won } as PayloadOf<'points.spend'>, [next(citizens)]),
    reserve: async () => {
      const at = reservation++
      if (at >= citizenCount * slotCount) throw new Error('the benchmark has reserved every seat: use fewer seconds')
      return make('reservation.reserve', { slot: slots[Math.floor(at / citizenCount)] as string } as PayloadOf<'reservation.reserve'>, [citizens[at % citizenCount] as Wallet])
    },
    register: async () => register(walletFromSeed(randomSeed())),
    // the grant of a DID that exists, one won under a pseudonym of its own: accounts hold a bounded number of grants, so each citizen gets one
    issue: (() => {
      let given = 0
      return async () => (given < citizenCount ? issueTo([citizens[given++] as Wallet], officer, 'bench-drip') : make('points.topUp', { program: 'bench-drip', amount: 1 as Won } as PayloadOf<'points.topUp'>, [officer]))
    })(),
    anchor: async () => make('credential.anchor', { hashes: [randomBytes(32)] } as unknown as PayloadOf<'credential.anchor'>, [issuer]),
  }
}
