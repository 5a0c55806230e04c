// A small city on a chain in memory: an officer, a merchant, citizens, one programme; and a server on it.
import { organisationsTable } from '../../state/governance/organisations.ts'
import type { Height, TimeMs } from '../../primitives/brand.ts'
import { createClient, type Client, type KindName, type PayloadOf, type Signer, signTransaction, buildTransaction, type SignedTransaction, walletFromSeed } from '../../rpc/client/index.ts'
import { createRpcServer, type RpcLog, type RpcServer, type RpcServerOptions } from '../../rpc/server.ts'
import { communityGenesis } from '../../state/community/settings.ts'
import { reservationGenesis } from '../../state/reservation/genesis.ts'
import { genesisSection, type ReservationGenesis } from '../../state/reservation/types.ts'
import { createDid } from '../../state/did/documents.ts'
import { everyScope, grantRole, type RoleName } from '../../state/roles.ts'
import type { WriteView } from '../../state/view.ts'
import { createMemoryChain, type MemoryChain } from '../support/memory-chain.ts'

const minuteMs = 60_000
export const startMs = 1_760_000_000_000
export const program = 'multi-child-2025'

const wallet = (n: number): ReturnType<typeof walletFromSeed> => walletFromSeed(new Uint8Array(32).fill(n))
export const officer = wallet(10)
export const shop = wallet(11)
export const citizens = Array.from({ length: 20 }, (_, i) => wallet(20 + i))

export interface City {
  readonly chain: MemoryChain
  readonly send: <K extends KindName>(kind: K, payload: PayloadOf<K>, signers?: readonly Signer[]) => Promise<SignedTransaction>
  readonly sign: <K extends KindName>(kind: K, payload: PayloadOf<K>, signers?: readonly Signer[]) => Promise<SignedTransaction>
}

/** With places also an operator of all facilities: the officer. `more` puts other rows into the first state. */
export function createCity(places?: ReservationGenesis, more?: (view: WriteView) => void): City {
  const chain = createMemoryChain({
    startMs,
    ...(places !== undefined && { genesis: { timeMs: startMs, state: { reservation: genesisSection.toJson(places) } } }),
    parameters: { transactionValidityMsMax: 600 * minuteMs, recoveryWaitMs: 86_400_000 },
    setup: (view, block) => {
      for (const { did, didKey } of [officer, shop, ...citizens]) createDid(view, block, did, { keys: [didKey], services: [] })
      const grant = (holder: Signer, role: RoleName): void => grantRole(view, holder.did, role, everyScope, { grantedAtHeight: 0 as Height })
      grant(officer, 'officer')
      grant(officer, 'settler')
      grant(officer, 'issuer')
      if (places !== undefined) {
        grant(officer, 'operator')
        reservationGenesis.apply({ block, view, emit: () => undefined }, places)
      }
      more?.(view)
      view.put(organisationsTable, ['all'], [{ name: 'city', title: 'City of Busan' }])
      communityGenesis.apply({ block, view, emit: () => undefined }, { boards: [{ livingArea: 'city', board: 'notice', title: { ko: '알림', en: 'Notices' }, open: 'news' }] })
    },
  })
  let salt = 0
  const sign: City['sign'] = async (kind, payload, signers = [officer]) => {
    const [sender, ...countersigners] = signers as readonly [Signer, ...Signer[]]
    // no chance: the same test has the same ids
    const unsigned = buildTransaction({ chain: chain.chainId, kind, sender, countersigners, payload, validUntilMs: chain.timeMs() + minuteMs, salt: Uint8Array.of(...new Uint8Array(12), ...uint32(++salt)) })
    return signTransaction(unsigned, signers)
  }
  const send: City['send'] = async (kind, payload, signers) => {
    const signed = await sign(kind, payload, signers)
    await chain.backend.submit(signed.bytes)
    return signed
  }
  return { chain, send, sign }
}

/** Opens the programme and the shop, grants every citizen, lets some spend: about a dozen blocks with none to twenty events each. */
export async function liveADay(city: City): Promise<void> {
  const { chain, send, sign } = city
  await send('points.openProgram', {
    program,
    budget: 100_000_000 as never,
    terms: {
      kind: 'points',
      title: '다자녀가정 교육지원포인트',
      tiers: [{ tier: 'two-children', amount: 300_000 as never }],
      applicationOpensMs: startMs as TimeMs,
      applicationClosesMs: (startMs + 1_000 * minuteMs) as TimeMs,
      useOpensMs: startMs as TimeMs,
      useClosesMs: (startMs + 2_000 * minuteMs) as TimeMs,
      categories: ['bookshop'],
      decide: 'automatic',
      grantsMax: undefined,
      leftover: 'reclaimed',
    },
  })
  await send('points.registerMerchant', { merchant: shop.did, category: 'bookshop', livingArea: 'haeundae-1' })
  await send('points.issue', { program, grants: citizens.map(({ did }, i) => ({ did, tier: 'two-children', pseudonym: new Uint8Array(32).fill(i + 1) as never })) })
  // a block of several, one of them refused
  const spends = await Promise.all(citizens.slice(0, 8).map((citizen, i) => sign('points.spend', { program, merchant: shop.did, amount: (i === 3 ? 300_001 : 10_000 + i) as never }, [citizen])))
  chain.block(spends.map(({ bytes }) => bytes))
  for (const citizen of citizens.slice(0, 5)) await send('points.spend', { program, merchant: shop.did, amount: 1_000 as never }, [citizen])
  // nothing but refusals: blocks without events
  for (const citizen of citizens.slice(0, 3)) await send('points.spend', { program: 'no-such-program', merchant: shop.did, amount: 1_000 as never }, [citizen])
  await send('points.spend', { program, merchant: shop.did, amount: 2_000 as never }, [citizens[9] as Signer])
}

function uint32(n: number): Uint8Array {
  return Uint8Array.of(n >> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255)
}

export interface Recorded {
  readonly level: string
  readonly event: string
  readonly data: Readonly<Record<string, unknown>> | undefined
}

export function recordingLog(): RpcLog & { readonly lines: Recorded[] } {
  const lines: Recorded[] = []
  const at = (level: string) => (event: string, data?: Readonly<Record<string, unknown>>) => void lines.push({ level, event, data })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export interface Served {
  readonly server: RpcServer
  readonly url: string
  readonly client: Client
  readonly log: ReturnType<typeof recordingLog>
}

export async function serve({ chain }: { readonly chain: MemoryChain }, options: Partial<RpcServerOptions> = {}): Promise<Served> {
  const log = recordingLog()
  const server = createRpcServer(chain.backend, { host: '127.0.0.1', port: 0, log, ...options })
  await server.start()
  const { url } = server.address() as { url: string }
  return { server, url, client: createClient({ url, rounds: 1 }), log }
}

/** A raw POST: what comes back, whatever it is. */
export async function post(url: string, body: string | Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' }): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { method: 'POST', headers, body })
  return { status: response.status, text: await response.text() }
}
