// The pilot's opening day at true scale, or a share of it. Everybody who takes part registers a DID first; then every household applies for the multi-child points, and the budget
// is exactly what they come to; then ten young residents for each culture pass race for them: the first get one, twice as many wait in line, the others are refused.
// Figures and rules are those of the preset (genesis/presets/busan-programs.ts).
import { randomBytes } from 'node:crypto'
import { multiChild, pilotHouseholds, youthCulturePass } from '../../genesis/presets/busan-programs.ts'
import type { OpenProgram } from '../../genesis/presets/preset.ts'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { attest, buildTransaction, type Client, createClient, type KindName, type PayloadOf, randomSeed, signTransaction, type SignedTransaction, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import type { Network } from '../devnet/network.ts'
import { sameHead } from './checks.ts'
import type { Load } from './load.ts'
import { createPool, prepare } from './pool.ts'

export const openingDay = 'opening-day'
/** Assumption: ten for each pass. Reported for 2024 are over 10,000 who signed up just before, and seven minutes until the passes were gone (newspim.com). */
const youngResidents = 50_000
const minuteMs = 60_000
const validityMs = 25 * minuteMs
/** Counting again reads every account. */
const auditMs = 300_000
/** What a resident is told who comes too late even for the line. */
export const tooLate = 'points/waitlist-full'

export interface Day {
  readonly twoChildren: number
  readonly threeOrMore: number
  readonly youngResidents: number
  readonly fund: OpenProgram
  readonly pass: OpenProgram
  /** The preset's passes, at this scale. */
  readonly passes: number
  readonly waiting: number
}

/** `scale` above 0, up to 1; nothing becomes fewer than one. */
export function dayAt(scale: number, openedMs: number): Day {
  const part = (whole: number): number => Math.max(1, Math.round(whole * scale))
  const [fund, pass] = [multiChild(openedMs), youthCulturePass(openedMs)]
  const [twoChildren, threeOrMore, passes, waiting] = [part(pilotHouseholds.two), part(pilotHouseholds.threeOrMore), part(pass.terms.grantsMax ?? 0), part(pass.terms.waitlistMax ?? 0)]
  const amount = ({ terms }: OpenProgram, tier: number): number => terms.tiers[tier]?.amount ?? 0
  return {
    twoChildren,
    threeOrMore,
    youngResidents: part(youngResidents),
    fund: { ...fund, budget: (twoChildren * amount(fund, 0) + threeOrMore * amount(fund, 1)) as Won },
    pass: { ...pass, budget: (passes * amount(pass, 0)) as Won, terms: { ...pass.terms, grantsMax: passes, waitlistMax: waiting } },
    passes,
    waiting,
  }
}

/** Plays the day with `outstanding` transactions under way at any time. `onStep` is told each part and how long it took. */
export async function playDay({ chainId, seedOf, nodes }: Pick<Network, 'chainId' | 'seedOf' | 'nodes'>, load: Pick<Load, 'send' | 'finish'>, day: Day, outstanding: number, onStep: (name: string, what: string) => void): Promise<void> {
  const office = (id: string): Wallet => walletFromSeed(seedOf(id))
  const [registrar, officer, issuer] = [office('registrar'), office('officer'), office('issuer')]
  const clients = nodes.map(({ rpc }) => createClient({ url: rpc }))
  const make = async <K extends KindName>(kind: K, payload: PayloadOf<K>, sender: Wallet, ...others: readonly Wallet[]): Promise<SignedTransaction> =>
    signTransaction(buildTransaction({ chain: chainId, kind, sender, countersigners: others, payload, validUntilMs: Date.now() + validityMs }), [sender, ...others])
  const all = async (name: string, who: readonly Wallet[], of: (wallet: Wallet, i: number) => Promise<SignedTransaction>): Promise<void> => {
    const startMs = performance.now()
    let next = 0
    await load.send(createPool(async () => of(who[next] as Wallet, next++)), who.length, outstanding)
    // a validator that is behind would not know those yet who come next
    if (!(await sameHead(clients))) throw new Error(`after ${name} the validators do not come to the same block`)
    const seconds = (performance.now() - startMs) / 1_000
    onStep(name, `${who.length} transactions in ${seconds.toFixed(1)} s, ${Math.round(who.length / seconds)} a second`)
  }
  const applying = (program: string, claimOf: (i: number) => string) => async (wallet: Wallet, i: number): Promise<SignedTransaction> => {
    const attestation = await attest(chainId, issuer, { purpose: `points:${program}`, subject: wallet.did, claim: claimOf(i), pseudonym: randomBytes(32), expiresMs: (Date.now() + validityMs) as TimeMs })
    return make('points.apply', { program, attestation }, wallet)
  }

  const wallets = (count: number): readonly Wallet[] => Array.from({ length: count }, () => walletFromSeed(randomSeed()))
  const households = wallets(day.twoChildren + day.threeOrMore)
  const young = wallets(day.youngResidents)
  const opening = await Promise.all([day.fund, day.pass].map(async (program) => make('points.openProgram', program, officer)))
  await load.finish(opening.map(prepare), 'opening the programmes')
  await all('Registered', [...households, ...young], async (wallet) => make('did.register', { keys: [wallet.didKey], services: [], recovery: undefined }, wallet, registrar))
  const [two, threeOrMore] = day.fund.terms.tiers
  await all('Applied', households, applying(day.fund.program, (i) => (i < day.twoChildren ? two : threeOrMore)?.tier ?? ''))
  await all('Raced', young, applying(day.pass.program, () => day.pass.terms.tiers[0]?.tier ?? ''))
}

export interface DayResult {
  readonly households: number
  /** Won. */
  readonly granted: number
  readonly passes: number
  readonly passesGranted: number
  /** Of both programmes, counted again from every account, at every validator. */
  readonly auditHolds: boolean
  /** From the first registration to the last receipt. */
  readonly minutes: number
}

/** What came of it, by the word of every validator, and what is wrong, in sentences. */
export async function auditDay(urls: readonly string[], day: Day): Promise<{ readonly result: Omit<DayResult, 'minutes'>; readonly wrong: readonly string[] }> {
  const wrong: string[] = []
  let auditHolds = true
  const read = async (client: Client, { program }: OpenProgram): Promise<{ readonly granted: number; readonly grants: number; readonly applications: number }> => {
    const { holds, sums } = await client.call('points_audit', { program, recount: true })
    auditHolds &&= holds
    return { granted: sums.flows.granted, grants: sums.grants, applications: sums.applications }
  }
  const households = day.twoChildren + day.threeOrMore
  const applications = Math.min(day.youngResidents, day.passes + day.waiting)
  let [granted, passesGranted] = [0, 0]
  for (const url of urls) {
    const client = createClient({ url, timeoutMs: auditMs, rounds: 1 })
    const [fund, pass] = [await read(client, day.fund), await read(client, day.pass)]
    if (fund.granted !== day.fund.budget || fund.grants !== households) wrong.push(`${url} has ${fund.granted} won granted to ${fund.grants} households instead of ${day.fund.budget} to ${households}`)
    if (pass.grants !== day.passes || pass.applications !== applications) wrong.push(`${url} has ${pass.grants} passes granted to ${pass.applications} applications instead of ${day.passes} to ${applications}`)
    granted = fund.granted
    passesGranted = pass.grants
  }
  if (!auditHolds) wrong.push('an audit does not hold')
  return { result: { households, granted, passes: day.passes, passesGranted, auditHolds }, wrong }
}
