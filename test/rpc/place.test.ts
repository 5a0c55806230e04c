// First come, first served: a place in a programme's line, proven from the genesis on to whoever waits.
import t from 'tap'
import type { Hash, TimeMs } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { attest, type Client, provenPlace, trustFromGenesis } from '../../rpc/client/index.ts'
import { citizens, createCity, officer, serve, startMs } from './scenario.ts'

const pass = 'culture-pass'
const hourMs = 3_600_000
const city = createCity()
const { server, client } = await serve(city)
t.teardown(async () => server.stop())
const trust = trustFromGenesis(city.chain.chainId, city.chain.backend.validators()!.set)
const [first, second, third, stranger] = [citizens[0]!, citizens[1]!, citizens[2]!, citizens[3]!]

await city.send('points.openProgram', {
  program: pass,
  budget: 100_000 as never,
  terms: {
    kind: 'points',
    title: '청년 문화',
    tiers: [{ tier: 'one', amount: 100_000 as never }],
    applicationOpensMs: startMs as TimeMs,
    applicationClosesMs: (startMs + hourMs) as TimeMs,
    useOpensMs: startMs as TimeMs,
    useClosesMs: (startMs + 2 * hourMs) as TimeMs,
    categories: ['theatre'],
    decide: 'automatic',
    waitlistMax: 10,
    leftover: 'reclaimed',
  },
})
for (const [i, citizen] of [first, second, third].entries()) {
  const attestation = await attest(city.chain.chainId, officer, { purpose: `points:${pass}`, subject: citizen.did, claim: 'one', pseudonym: new Uint8Array(32).fill(i + 1) as Hash, expiresMs: (startMs + hourMs) as TimeMs })
  await city.send('points.apply', { program: pass, attestation }, [citizen])
}

t.test('who waits has the place proven, and sees it move', async (t) => {
  const place = provenPlace(client, trust)
  const { height } = await client.call('chain_head', {})
  t.strictSame(await place(pass, first.did), { height, place: 1, status: 'granted' })
  t.strictSame(await place(pass, second.did), { height, place: 2, status: 'waiting', line: 1, aheadMax: 0 })
  t.strictSame(await place(pass, third.did), { height, place: 3, status: 'waiting', line: 2, aheadMax: 1 })
  t.equal(await place(pass, stranger.did), undefined, 'that nobody of this name has applied is proven as well')
  await city.send('points.topUp', { program: pass, amount: 100_000 as never })
  t.match([await place(pass, second.did), await place(pass, third.did)], [{ status: 'granted' }, { status: 'waiting', line: 2, aheadMax: 0 }])
  t.match(await client.call('points_application', { program: pass, did: third.did }), { place: 3, status: 'waiting', line: 2, aheadMax: 0 }, 'what the node says without a proof is the same')
})

t.test('a node that puts somebody before another is found out', async (t) => {
  const changed = (at: number, change: (value: string | undefined) => JsonObject): Pick<Client, 'callUntyped'> => ({
    callUntyped: async (method, params) => {
      const answer = (await client.callUntyped(method, params)) as { readonly entries: readonly JsonObject[] } & JsonObject
      return { ...answer, entries: answer.entries.map((entry, i) => (i === at ? { ...entry, ...change(entry['value'] as string | undefined) } : entry)) }
    },
  })
  const other = (await client.callUntyped('state_proof', { keys: [`points.account/${pass}/${second.did}`] })) as { readonly entries: readonly { readonly value: string }[] }
  const lies = [changed(0, () => ({ value: other.entries[0]!.value })), changed(1, () => ({ value: toBase64url(new Uint8Array(8)) })), changed(1, () => ({ key: 'points.line/another' }))]
  for (const lie of lies) await t.rejects(provenPlace(lie, trust)(pass, third.did), { code: 'proof/state' })
})
