// The client: over several nodes, through every failure, never twice; and proofs that a liar cannot forge.
import t, { type Test } from 'tap'
import fc from 'fast-check'
import { generateKeyPairSync, sign as signByOpenssl } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import path from 'node:path'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { chainIdOf, genesisHash, genesisSchema, validatorSetOf } from '../../genesis/genesis.ts'
import { fromBase64url, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { Height, TransactionId } from '../../primitives/brand.ts'
import {
  buildTransaction,
  checkpointFromJson,
  compressPoint,
  createClient,
  followEvents,
  hardwareWallet,
  p256Signature,
  randomSeed,
  signTransaction,
  submitAndWait,
  toBase64url,
  trustFromGenesis,
  trustFromGenesisHash,
  trustNext,
  verifyBlockEvents,
  verifyCheckpoint,
  verifyEventProof,
  verifyStateProofs,
  verifyTransactionProof,
  walletFromSeed,
} from '../../rpc/client/index.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { checkpointBytes } from '../../consensus/votes.ts'
import { epochHash } from '../../consensus/validators.ts'
import { decodeTransaction, signatureChecks } from '../../state/transaction.ts'
import { verifySigned } from '../../primitives/signature.ts'
import { receiptSchema } from '../../state/receipt.ts'
import { stateKey } from '../../state/table.ts'
import { publicKeyOf, smallPreset } from '../support/genesis.ts'
import { believed } from '../support/lies.ts'
import { citizens, createCity, liveADay, officer, program, serve, shop } from './scenario.ts'

const city = createCity()
await liveADay(city)
const { server, url, client } = await serve(city)
t.teardown(async () => server.stop())
const { chain } = city

type FetchLike = NonNullable<Parameters<typeof createClient>[0]['fetch']>
const real: FetchLike = async (to, init) => fetch(to, init as RequestInit)

t.test('wallets and transactions', async (t) => {
  const wallet = walletFromSeed(new Uint8Array(32).fill(20))
  t.equal(wallet.did, citizens[0]!.did)
  t.match(wallet.did, /^did:dongbaek:[A-Za-z0-9_-]{27}$/)
  t.not(walletFromSeed(randomSeed()).did, walletFromSeed(randomSeed()).did)
  t.throws(() => walletFromSeed(new Uint8Array(31)), { code: 'client/seed' })
  const request = { chain: chain.chainId, kind: 'points.spend', sender: wallet, countersigners: [citizens[3]!, officer, citizens[2]!], payload: { program, merchant: shop.did, amount: 1 as never }, validUntilMs: 5_000 } as const
  const salted = { ...request, salt: new Uint8Array(16) }
  t.same(buildTransaction(salted).id, buildTransaction(salted).id)
  t.notSame(buildTransaction(request).id, buildTransaction(request).id, 'a salt of its own each time')
  t.throws(() => buildTransaction({ ...request, payload: { ...request.payload, amount: -1 as never } }), { code: 'codec/invalid', data: { path: 'amount' } })
  // countersigners in whatever order they are given
  const signed = await signTransaction(buildTransaction(salted), [citizens[3]!, wallet, officer, citizens[2]!])
  const { signatures, id } = decodeTransaction(signed.bytes)
  t.same(id, signed.id)
  t.equal(signatures[0]!.signer, wallet.did)
  t.same(signatures.slice(1).map(({ signer }) => signer), [citizens[3]!, officer, citizens[2]!].map(({ did }) => did).sort())
  await t.rejects(signTransaction(buildTransaction(salted), [officer]), { code: 'tx/signers' })
  await t.rejects(signTransaction(buildTransaction(salted), [wallet, officer]), { code: 'tx/signers' })
  t.throws(() => buildTransaction({ ...salted, countersigners: [officer, officer] }), { code: 'tx/signers' })
})

t.test('a key in secure hardware signs in its own forms', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const jwk = publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(jwk.x as string, 'base64url'), Buffer.from(jwk.y as string, 'base64url')])
  const forms = (['der', 'ieee-p1363'] as const).map((dsaEncoding) => hardwareWallet(point, (bytes) => signByOpenssl('sha256', bytes, { key: privateKey, dsaEncoding })))

  t.equal(new Set([...forms, hardwareWallet(compressPoint(point), () => new Uint8Array(64))].map(({ did }) => did)).size, 1)
  // OpenSSL, like the hardware, gives a high s every second time
  for (let i = 0; i < 24; i++) {
    const wallet = forms[i % 2]!
    const signed = await signTransaction(buildTransaction({ chain: chain.chainId, kind: 'did.deactivate', sender: wallet, payload: {} }), [wallet])
    t.ok(signatureChecks(decodeTransaction(signed.bytes)).every(verifySigned))
  }
  for (const bad of ['', '3006020100020101', '30060201ff020101', '3006020101020101ff', '300602010102', `3026022100${'00'.repeat(32)}020101`, '30080202000102020001']) {
    const expected = bad === '30080202000102020001' ? undefined : { code: 'client/signature' }
    if (expected === undefined) t.equal(p256Signature(Buffer.from(bad, 'hex')).length, 64, 'leading zeros of DER are left')
    else t.throws(() => p256Signature(Buffer.from(bad, 'hex')), expected, bad)
  }
  t.throws(() => p256Signature(new Uint8Array(64)), { code: 'client/signature' })
  t.throws(() => compressPoint(new Uint8Array(65)), { code: 'client/key' })

})

t.test('errors are those of the node, by their code', async (t) => {
  await t.rejects(client.call('points_program', { program: 'none' }), { name: 'DongbaekError', code: 'points/not-found', data: { url } })
  await t.rejects(client.call('points_program', { program: 'NO' }), { code: 'codec/invalid', data: { path: 'program' } })
  await t.rejects(client.callUntyped('nothing_here', {}), { code: 'rpc/method-not-found' })
  const nobody = createClient({ url: 'http://127.0.0.1:1', rounds: 1 })
  await t.rejects(nobody.call('chain_head', {}), { code: 'client/unreachable' })
  const silent = createClient({ url, rounds: 1, timeoutMs: 30, fetch: async (_, { signal }) => new Promise((_resolve, reject) => (signal as AbortSignal).addEventListener('abort', () => reject(new Error('aborted')))) })
  await t.rejects(silent.call('chain_head', {}), { code: 'client/timeout' })
  for (const text of ['', 'hello', '[]', '{}', '{"jsonrpc":"2.0","id":99,"result":1}', '{"jsonrpc":"2.0","id":1}']) {
    const odd = createClient({ url, rounds: 1, fetch: async () => ({ status: 200, text: async () => text }) })
    await t.rejects(odd.call('chain_head', {}), { code: 'client/bad-answer' }, text)
  }
  for (const [number, code] of [[-32700, 'rpc/parse-error'], [-32600, 'rpc/invalid-request'], [-32603, 'internal'], [-32055, 'rpc/unknown']] as const) {
    // such as a proxy in between answers, with no code of ours
    const bare = createClient({ url, rounds: 1, fetch: async () => ({ status: 200, text: async () => `{"jsonrpc":"2.0","id":null,"error":{"code":${number},"message":"no"}}` }) })
    await t.rejects(bare.call('chain_head', {}), { code }, code)
  }
  t.throws(() => createClient({}), { code: 'client/no-nodes' })
})

t.test('submit and wait over nodes that fail in every way: exactly once', async (t) => {
  // each request fails before it reaches the node, or after it was carried out, or not at all
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('ok', 'lost', 'answer lost', 'busy', 'garbage'), { minLength: 1, maxLength: 6 }), async (faults) => {
      let turn = 0
      const flaky: FetchLike = async (to, init) => {
        switch (faults[turn++] ?? 'ok') {
          case 'lost':
            throw new Error('no route')
          case 'answer lost':
            await (await real(to, init)).text()
            throw new Error('reset')
          case 'busy':
            return { status: 200, text: async () => '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"wait","data":{"code":"rpc/rate-limited"}}}' }
          case 'garbage':
            return { status: 502, text: async () => '<html>' }
          default:
            return real(to, init)
        }
      }
      const several = createClient({ urls: [url, `${url}/`, url], fetch: flaky, timeoutMs: 1_000 })
      const before = await client.call('points_balance', { did: citizens[12]!.did })
      const signed = await city.sign('points.spend', { program, merchant: shop.did, amount: 10 as never }, [citizens[12]!])
      const receipt = await submitAndWait(several, signed, { timeoutMs: 5_000 })
      const after = await client.call('points_balance', { did: citizens[12]!.did })
      return receipt.status === 'ok' && receipt.id === toBase64url(signed.id) && before.balance - after.balance === 10
    }),
    { numRuns: 12, seed: 4 },
  )
  t.pass()
})

t.test('a refusal is a receipt; what can never run is an error; what is open is said to be open', async (t) => {
  const refused = await submitAndWait(client, await city.sign('points.spend', { program, merchant: shop.did, amount: 999_999_999 as never }, [citizens[13]!]))
  t.match(refused, { status: 'refused', code: 'points/insufficient-balance' })
  const elsewhere = await signTransaction(buildTransaction({ chain: 'other-0123456789abcdef', kind: 'points.spend', sender: officer, payload: { program, merchant: shop.did, amount: 1 as never } }), [officer])
  await t.rejects(submitAndWait(client, elsewhere), { code: 'tx/wrong-chain' })
  chain.hold(true)
  const held = await city.sign('points.spend', { program, merchant: shop.did, amount: 3 as never }, [citizens[13]!])
  await t.rejects(submitAndWait(client, held, { timeoutMs: 50 }), { code: 'tx/not-final' })
  chain.hold(false)
  chain.block([])
  t.match(await submitAndWait(client, held), { status: 'ok' }, 'the same bytes again')
  // once one node took it, what the next says of the same bytes decides nothing
  chain.hold(true)
  let handedIn = 0
  const forgetful = createClient({
    url,
    rounds: 1,
    fetch: async (to, init) => {
      if (!init.body.includes('tx_submit') || handedIn++ === 0) return real(to, init)
      chain.hold(false)
      setTimeout(() => chain.block([]), 30)
      const { id } = JSON.parse(init.body) as { id: number }
      return { status: 200, text: async () => JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32031, message: 'expired', data: { code: 'tx/expired' } } }) }
    },
  })
  t.match(await submitAndWait(forgetful, await city.sign('points.spend', { program, merchant: shop.did, amount: 4 as never }, [citizens[13]!]), { stepMs: 50 }), { status: 'ok' })
  t.equal(handedIn, 2)
})

t.test('following events page by page', async (t) => {
  const { items: all } = await client.call('events_since', { cursor: '', limit: 1_000 })
  const seen: Json[] = []
  for await (const { items } of followEvents(client, { cursor: '', limit: 7, everyMs: 5 })) {
    seen.push(...items)
    if (seen.length >= all.length) break
  }
  t.same(seen, all)
  t.ok(seen.length > 30)
})

// ---------------------------------------------------------------- proofs

const trust = trustFromGenesis(chain.chainId, chain.validators)
const keys = ['parameters/current', 'nothing/here', stateKey({ name: 'chain.block' }, [3])]

t.test('values of the state, and their absence', async (t) => {
  const answer = (await client.call('state_proof', { keys })) as unknown as Json
  const { values, height } = verifyStateProofs(trust, keys, answer)
  t.equal(height, chain.backend.head().height)
  t.ok(values.get('parameters/current')!.length > 0)
  t.ok(values.has('nothing/here') && values.get('nothing/here') === undefined)
  t.throws(() => verifyStateProofs(trust, [...keys, 'another/one'], answer), { code: 'proof/state' })
  t.throws(() => verifyStateProofs(trustFromGenesis('other-0123456789abcdef', chain.validators), keys, answer), { code: 'proof/checkpoint' })
  const fewer = { ...chain.validators, minimums: [{ organisation: 'bank', minimum: 2 }] }
  t.throws(() => verifyStateProofs(trustFromGenesis(chain.chainId, fewer), keys, answer), { code: 'proof/checkpoint' }, 'one of the bank is not enough where two are needed')
})

t.test('a transaction’s place and receipt', async (t) => {
  for (const { id } of (await client.call('tx_getByDid', { did: citizens[2]!.did })).items) {
    const bytes = fromBase64url(id) as TransactionId
    const proof = (await client.call('tx_proof', { id })) as unknown as Json
    const { receipt, header, reference } = verifyTransactionProof(trust, bytes, proof)
    const got = await client.call('tx_get', { id })
    t.same({ height: receipt.height, index: receipt.index, status: receipt.status }, { height: got.receipt.height, index: got.receipt.index, status: got.receipt.status })
    t.equal(header.height, receipt.height)
    t.equal(toBase64url(reference), got.transaction.reference)
    const other = (await client.call('tx_getByDid', { did: citizens[5]!.did })).items[0]!.id
    t.throws(() => verifyTransactionProof(trust, fromBase64url(other) as TransactionId, proof), { code: 'proof/transaction' })
  }
})

t.test('a liar who changes any byte or field of an answer is found out', async (t) => {
  const valuesOf = (asked: readonly string[]) => (answer: Json): string => {
    const { values, height } = verifyStateProofs(trust, asked, answer)
    return JSON.stringify([height, asked.map((key) => toBase64url(values.get(key) ?? new Uint8Array(0)))])
  }
  const { id } = (await client.call('tx_getByDid', { did: citizens[3]!.did })).items.at(-1)!
  const item = (await client.call('events_since', { cursor: '', limit: 1_000 })).items.at(-1) as JsonObject
  const { height, index } = item as { readonly height: number; readonly index: number }
  const lies: Readonly<Record<string, readonly [Json, (answer: Json) => string]>> = {
    'a value': [(await client.call('state_proof', { keys: ['parameters/current'] })) as unknown as Json, valuesOf(['parameters/current'])],
    absence: [(await client.call('state_proof', { keys: ['nothing/here'] })) as unknown as Json, valuesOf(['nothing/here'])],
    'a transaction': [
      (await client.call('tx_proof', { id })) as unknown as Json,
      (answer) => {
        const { receipt, reference, header } = verifyTransactionProof(trust, fromBase64url(id) as TransactionId, answer)
        return JSON.stringify([receiptSchema.toJson(receipt), toBase64url(reference), header.height, header.timeMs])
      },
    ],
    'an event': [
      (await client.call('events_proof', { height, index })) as unknown as Json,
      (answer) => {
        const { place, header } = verifyEventProof(trust, item, answer)
        return JSON.stringify([place, header.height, header.timeMs])
      },
    ],
  }
  for (const [what, [truth, verify]] of Object.entries(lies)) {
    const { tried, wrong } = believed(truth, verify)
    t.ok(tried > 900, `${what}: ${tried} lies`)
    t.same(wrong, [], what)
  }
})

/** A city after its day, the use of whose programme has ended: the last block did that by itself. */
async function servedAfterUse(test: Test) {
  const own = createCity()
  await liveADay(own)
  own.chain.skip(2_001 * 60_000)
  await own.send('points.spend', { program, merchant: shop.did, amount: 1 as never }, [citizens[0]!])
  const { server, client } = await serve(own)
  test.teardown(async () => server.stop())
  return { client, believes: trustFromGenesis(own.chain.chainId, own.chain.validators) }
}

t.test('an event of the feed, done by a transaction or by the block itself', async (t) => {
  const { client, believes } = await servedAfterUse(t)
  const items = (await client.call('events_since', { cursor: '', limit: 1_000 })).items as readonly (JsonObject & { readonly height: number; readonly index: number; readonly event: JsonObject })[]
  const proofOf = async ({ height, index }: { readonly height: number; readonly index: number }): Promise<Json> => (await client.call('events_proof', { height, index })) as unknown as Json
  t.ok(items.some((item) => item['transaction'] === undefined) && items.some((item) => item['transaction'] !== undefined))
  const proofs = await Promise.all(items.map(proofOf))
  for (const [i, item] of items.entries()) t.equal(verifyEventProof(believes, item, proofs[i]!).header.height, item.height)
  // every item with every other's proof
  const pairs = items.flatMap((item) => proofs.map((proof) => [item, proof] as const)).filter(([item], i) => i % 7 === 0 && item !== items[i % items.length])
  for (const [item, proof] of pairs) t.throws(() => verifyEventProof(believes, item, proof), { code: 'proof/event' })
  const last = items.findLast((item) => item['transaction'] === undefined)!
  const proof = await proofOf(last)
  for (const changed of [{ ...last, height: last.height + 1 }, { ...last, index: last.index + 1 }, { ...last, timeMs: (last['timeMs'] as number) + 1 }, { ...last, transaction: 'A'.repeat(43) }]) t.throws(() => verifyEventProof(believes, changed, proof), { code: 'proof/event' })
  const { height } = last
  await t.rejects(client.call('events_proof', { height, index: 10_000 }), { code: 'events/not-found', data: { events: items.filter((item) => item.height === height).length } })
  await t.rejects(client.call('events_proof', { height: height + 9, index: 0 }), { code: 'chain/not-found' })
})

t.test('all events of a block and no others: what a feed leaves out, puts in or puts elsewhere is noticed', async (t) => {
  const { client, believes } = await servedAfterUse(t)
  const told = (await client.call('events_since', { cursor: '', limit: 1_000 })).items as readonly (JsonObject & { readonly height: number })[]
  const proven: Json[] = []
  const { height: head } = await client.call('chain_head', {})
  let full: { readonly height: number; readonly answer: JsonObject & { readonly leaves: readonly string[] } } | undefined
  for (let height = 1; height <= head; height++) {
    const answer = (await client.callUntyped('events_blockProof', { height })) as NonNullable<typeof full>['answer']
    const { items } = verifyBlockEvents(believes, height, answer)
    proven.push(...(items as unknown as readonly Json[]))
    if (items.length > 3 && answer.leaves.length > 3) full = { height, answer }
    t.throws(() => verifyBlockEvents(believes, height + 1, answer), { code: 'proof/event' })
  }
  const withoutCursors = told.map((item) => {
    const { cursor: _, ...rest } = item as JsonObject
    return rest
  })
  t.strictSame(proven, withoutCursors, 'what is proven is the feed')
  t.ok(proven.some((item) => (item as JsonObject)['transaction'] === undefined), 'of what blocks do by themselves too')

  const { height, answer } = full!
  const { leaves } = answer
  const empty = ((await client.callUntyped('events_blockProof', { height: 1 })) as NonNullable<typeof full>['answer']).leaves[0]!
  for (const [lie, changed] of Object.entries({ shorter: leaves.slice(0, -1), longer: [...leaves, leaves.at(-1)!], twice: leaves.with(1, leaves[2]!), swapped: leaves.with(1, leaves[2]!).with(2, leaves[1]!), replaced: leaves.with(0, empty), none: [] })) {
    t.throws(() => verifyBlockEvents(believes, height, { ...answer, leaves: changed }), { name: 'DongbaekError', code: /^(proof\/event|codec\/invalid)$/ }, lie)
  }
  const tell = (one: Json): string => JSON.stringify(verifyBlockEvents(believes, height, one).items)
  const { tried, wrong } = believed(answer, tell)
  t.ok(tried > 900, `${tried} lies`)
  t.same(wrong, [])
  await t.rejects(client.call('events_blockProof', { height: head + 1 }), { code: 'chain/not-found' })
})

t.test('a block above the certified height has no proof yet: that is said, and never that there is no such block', async (t) => {
  const own = createCity()
  await liveADay(own)
  const { backend } = own.chain
  const height = (backend.head().height + 1) as Height
  // true, of the state before the block: it is not there
  const early = await backend.prove([stateKey({ name: 'chain.block' }, [height])])
  const { id } = await own.send('points.spend', { program, merchant: shop.did, amount: 1 as never }, [citizens[0]!])
  let answer: typeof backend.prove = async () => early
  const { server, client } = await serve({ chain: { ...own.chain, backend: { ...backend, prove: async (asked) => answer(asked) } } })
  t.teardown(async () => server.stop())
  const asked = { tx_proof: { id: toBase64url(id) }, events_proof: { height, index: 0 }, events_blockProof: { height } }
  for (const [method, params] of Object.entries(asked)) await t.rejects(client.callUntyped(method, params), { code: 'node/not-certified' }, method)
  answer = backend.prove
  for (const [method, params] of Object.entries(asked)) t.ok(await client.callUntyped(method, params), `${method} once it is certified`)
})

t.test('CometBFT ASA-2025-002: the index is inside the proof. A transaction and its receipt stand at one place of their block and at no other', async (t) => {
  const signed = await Promise.all([0, 1, 2].map(async (i) => city.sign('points.spend', { program, merchant: shop.did, amount: 1 as never }, [citizens[i]!])))
  chain.block(signed.map(({ bytes }) => bytes))
  for (const [place, { id }] of signed.entries()) {
    const proof = (await client.call('tx_proof', { id: toBase64url(id) })) as unknown as { readonly [part in 'transaction' | 'receipt']: JsonObject } & JsonObject
    t.equal(verifyTransactionProof(trust, id, proof).receipt.index, place)
    // of three leaves, the path of the last is also that of the second of two: the count is the header's
    for (const part of ['transaction', 'receipt'] as const) {
      for (let count = 1; count <= 6; count++) {
        for (let index = 0; index < count; index++) {
          if (index === proof[part]['index'] && count === proof[part]['count']) continue
          t.throws(() => verifyTransactionProof(trust, id, { ...proof, [part]: { ...proof[part], index, count } }), { name: 'DongbaekError', code: /^(proof\/transaction|codec\/invalid)$/ }, `${part} ${place} as ${index} of ${count}`)
        }
      }
    }
  }
})

t.test('arXiv 2107.11144: no read-only optimisation. An answer counts by its certificate alone, never by how many nodes gave it', async (t) => {
  const state = (await client.call('state_proof', { keys })) as unknown as { readonly checkpoint: { readonly content: JsonObject; readonly signatures: readonly JsonObject[] } } & JsonObject
  const { id } = (await client.call('tx_getByDid', { did: citizens[3]!.did })).items[0]!
  const bytes = fromBase64url(id) as TransactionId
  const transaction = (await client.call('tx_proof', { id })) as unknown as typeof state
  const { signatures } = state.checkpoint
  const [first] = signatures as [JsonObject]
  const asked = [(one: Json): unknown => verifyStateProofs(trust, keys, one), (one: Json): unknown => verifyTransactionProof(trust, bytes, one)]
  for (const [i, answer] of [state, transaction].entries()) {
    const verify = asked[i]!
    verify(answer)
    const { checkpoint, ...bare } = answer
    const signedBy = (some: readonly JsonObject[]): Json => ({ ...answer, checkpoint: { ...checkpoint, signatures: some } })
    t.throws(() => verify(bare), { code: 'codec/invalid' }, 'without a certificate')
    // f + 1 equal answers, which the optimisation would take, are no quorum; nor is one signer said to be several
    for (const some of [[], signatures.slice(0, 1), signatures.slice(0, 2), signatures.map(() => first), signatures.map(({ validator }) => ({ ...first, validator: validator as number }))]) {
      t.throws(() => verify(signedBy(some)), { name: 'DongbaekError', code: /^(proof\/checkpoint|codec\/invalid)$/ }, `${some.length} signatures`)
    }
  }
  // what a node says without a proof is no proof
  t.throws(() => asked[1]!(({ ...transaction, receipt: undefined }) as unknown as Json), { code: 'codec/invalid' })
  for (const unproven of [await client.call('tx_get', { id }), await client.call('chain_head', {})]) for (const verify of asked) t.throws(() => verify(unproven as unknown as Json), { code: 'codec/invalid' })
})

t.test('trust begins at the hash of the genesis', async (t) => {
  const genesis = buildGenesis(smallPreset, {
    name: 'test',
    timeMs: 2 ** 33 + 1,
    nodes: ['a', 'b', 'c', 'd'].map((name, i) => ({ name, publicKey: publicKeyOf(name), addresses: [`127.0.0.1:${20_000 + i}`], organisation: i % 2 === 0 ? 'busan' : 'bnk' })),
    offices: smallPreset.offices.map(({ id }) => ({ office: id, publicKey: publicKeyOf(id) })),
  })
  const bytes = encode(genesisSchema, genesis)
  const told = (given: Uint8Array): Pick<typeof client, 'call'> => ({ call: async () => ({ bytes: toBase64url(given) }) as never })
  const hash = toHex(genesisHash(genesis))
  t.strictSame(await trustFromGenesisHash(told(bytes), hash), trustFromGenesis(chainIdOf(genesis), validatorSetOf(genesis)))
  for (const at of bytes.keys()) await t.rejects(trustFromGenesisHash(told(bytes.with(at, (bytes[at] as number) ^ 1)), hash), { code: 'proof/genesis' }, `byte ${at}`)
  for (const other of [new Uint8Array(0), bytes.subarray(1), Uint8Array.of(...bytes, 0)]) await t.rejects(trustFromGenesisHash(told(other), hash), { code: 'proof/genesis' })
  await t.rejects(trustFromGenesisHash(told(bytes), hash.toUpperCase()), { code: 'proof/genesis' })
  await t.rejects(trustFromGenesisHash({ call: async () => ({ bytes: '!' }) as never }, hash), { code: 'proof/genesis' })
  // a list of eight whose first is the version
  const later = bytes.with(1, 2)
  await t.rejects(trustFromGenesisHash(told(later), toHex(taggedHash('genesis', later))), { code: 'proof/genesis', data: { version: 2 } })
})

t.test('validator sets are followed from the genesis on', async (t) => {
  const pairs = [41, 42, 43, 44].map((n) => keyPairFromSeed(new Uint8Array(32).fill(n)))
  const next = { activation: 100 as never, set: { validators: pairs.map(({ publicKey }, i) => ({ name: `new-${i}`, organisation: 'city', publicKey })), minimums: [] } }
  const certificate = (height: number, nextSet: ReturnType<typeof epochHash>, by: readonly ReturnType<typeof keyPairFromSeed>[]): ReturnType<typeof checkpointFromJson> => {
    const content = { height: height as never, blockHash: new Uint8Array(32) as never, stateRoot: new Uint8Array(32) as never, nextSet }
    return { content, signatures: by.map((pair, validator) => ({ validator, signature: sign(checkpointBytes(chain.chainId, content), pair) })) }
  }
  const first = [1, 2, 3, 4].map((n) => keyPairFromSeed(new Uint8Array(32).fill(n)))
  const learnt = trustNext(trust, certificate(90, epochHash(next), first.slice(0, 3)), next)
  verifyCheckpoint(learnt, certificate(100, epochHash(next), pairs))
  t.throws(() => verifyCheckpoint(learnt, certificate(100, epochHash(next), first)), { code: 'proof/checkpoint' }, 'the old set has no say any more')
  t.throws(() => verifyCheckpoint(trust, certificate(100, epochHash(next), pairs)), { code: 'proof/checkpoint' })
  t.throws(() => trustNext(trust, certificate(90, epochHash(next), first.slice(0, 2)), next), { code: 'proof/checkpoint' })
  t.throws(() => trustNext(trust, certificate(90, epochHash(next), first), { ...next, activation: 101 as never }), { code: 'proof/validator-set' })
  verifyCheckpoint(trust, checkpointFromJson((await client.call('chain_getCheckpoint', {})) as unknown as Json))
})

t.test('nothing of Node is in the client, no rule and no query of a family, and of packages the curves and hashes alone', async (t) => {
  const root = path.join(import.meta.dirname, '../..')
  const { imports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly imports: Readonly<Record<string, { readonly default: string }>> }
  const files = new Set<string>()
  const packages = new Set<string>()
  /** What a bundler brings along: the files behind the imports that are left when the types are gone. */
  const follow = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    const code = stripTypeScriptTypes(readFileSync(path.join(root, file), 'utf8'), { mode: 'transform' })
    t.notMatch(code, /node:|\bBuffer\b|\bprocess\b|require\(|\bnew Function\b|\beval\b/, file)
    for (const [, from = ''] of code.matchAll(/\bfrom ['"]([^'"]+)['"]/g)) {
      if (from.startsWith('.')) follow(path.join(path.dirname(file), from))
      else if (from.startsWith('#')) follow(path.normalize(imports[from]!.default))
      else packages.add(from.split('/').slice(0, 2).join('/'))
    }
  }
  follow('rpc/client/index.ts')
  t.ok(files.size > 60 && files.has('primitives/messagepack.portable.ts'), `${files.size} files`)
  t.same([...packages].sort(), ['@noble/curves', '@noble/hashes'])
  t.same([...files].filter((file) => /^state\/(?:families\.ts|execute\.ts|view\.ts|[a-z]+\/(?:family|codes|queries|query-[a-z]+|genesis|begin-block)\.ts)$/.test(file) || /^rpc\/(?:methods|indexer)\//.test(file)), [])
})
