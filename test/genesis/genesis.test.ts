// The genesis: one hash for one content, and a clear word for everything that would not work.
import t from 'tap'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { equalBytes, toHex } from '../../primitives/bytes.ts'
import { readNodeCard, writeNodeCard } from '../../genesis/card.ts'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { checkGenesis, genesisSummary, genesisWarnings } from '../../genesis/check.ts'
import { chainIdOf, type Genesis, genesisFromJson, genesisHash, genesisRef, genesisToJson, readGenesis, writeGenesis } from '../../genesis/genesis.ts'
import { chainIdSchema } from '../../state/transaction.ts'
import { nodeCards, officeCards, publicKeyOf, smallPreset, testGenesis } from '../support/genesis.ts'

function thrown(act: () => unknown): DongbaekError {
  try {
    act()
  } catch (error) {
    if (error instanceof DongbaekError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The same JSON with the keys of every object the other way round. */
function reversed(json: Json): Json {
  if (Array.isArray(json)) return (json as readonly Json[]).map(reversed)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json as JsonObject).toReversed().map(([key, value]) => [key, reversed(value)]))
}

/** A copy with one value replaced, by its path. */
function withValue(genesis: Genesis, path: string, value: Json | undefined): Json {
  const json = structuredClone(genesisToJson(genesis)) as Record<string, Json>
  const steps = path.split('.')
  let at = json as Record<string, Json>
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string, Json>
  const last = steps.at(-1) as string
  if (value === undefined) delete at[last]
  else at[last] = value
  return json
}

t.test('the hash depends on the content alone', async (t) => {
  const genesis = testGenesis()
  const hash = toHex(genesisHash(genesis))
  t.equal(toHex(genesisHash(readGenesis(writeGenesis(genesis)))), hash, 'written and read')
  t.equal(toHex(genesisHash(readGenesis(JSON.stringify(reversed(genesisToJson(genesis)))))), hash, 'without spaces, keys reversed')
  t.equal(toHex(genesisHash(readGenesis(JSON.stringify(genesisToJson(genesis), undefined, '\t')))), hash, 'with tabs')
  t.not(toHex(genesisHash(testGenesis({ timeMs: 1_778_716_800_001 }))), hash, 'a millisecond later')
  t.not(toHex(genesisHash(testGenesis({ name: 'test-2' }))), hash, 'another name')
  t.equal(toHex(genesisHash(testGenesis({ nodes: nodeCards(4, 1).toReversed(), offices: officeCards.toReversed() }))), hash, 'cards in another order')
})

t.test('the chain is named by it', async (t) => {
  const genesis = testGenesis()
  const chainId = chainIdOf(genesis)
  t.equal(chainId, `test-${toHex(genesisHash(genesis)).slice(0, 16)}`)
  t.doesNotThrow(() => chainIdSchema.toWire(chainId, ''))
  const { height, hash, timeMs } = genesisRef(genesis)
  t.equal(height, 0)
  t.ok(equalBytes(hash, genesisHash(genesis)))
  t.equal(timeMs, genesis.timeMs)
  const long = 'a'.repeat(47)
  t.doesNotThrow(() => checkGenesis(testGenesis({ name: long })), 'the longest name')
  t.equal(thrown(() => readGenesis(JSON.stringify(withValue(genesis, 'name', `${long}a`)))).code, 'genesis/invalid')
})

t.test('validators of different organisations take turns, whatever order the cards came in', async (t) => {
  const { validators } = testGenesis({ nodes: nodeCards(7).toReversed() })
  t.strictSame(validators.map(({ name }) => name), ['busan-1', 'bnk-1', 'busan-2', 'bnk-2', 'busan-3', 'bnk-3', 'busan-4'])
})

t.test('a sound genesis passes', async (t) => {
  for (const count of [1, 2, 3, 4, 7, 16]) {
    const minimums = smallPreset.minimums.filter((_, i) => i < count)
    t.doesNotThrow(() => checkGenesis(testGenesis({ nodes: nodeCards(count), minimums })), `${count} validators`)
  }
  t.match(genesisSummary(testGenesis()), { quorum: 3, faulty: 1, stateRoot: /^[\w-]{43}$/ })
})

t.test('what is wrong with the file is said by its field', async (t) => {
  const genesis = testGenesis()
  const cases: readonly (readonly [path: string, value: Json | undefined, code: string, said: RegExp])[] = [
    ['version', 2, 'genesis/version', /version 2.*reads 1/],
    ['version', 'one', 'genesis/invalid', /version/],
    ['name', 'Busan', 'genesis/invalid', /name: expected lower-case/],
    ['extra', 1, 'genesis/invalid', /extra: expected no such field/],
    ['timeMs', undefined, 'genesis/invalid', /timeMs.*missing/],
    ['timeMs', 1.5, 'genesis/invalid', /timeMs: expected an integer/],
    ['validators', [], 'genesis/invalid', /validators: expected a list of 1/],
    ['validators.1.publicKey', 'AAAA', 'genesis/invalid', /validators\[1\]\.publicKey/],
    ['validators.1.addresses', ['nowhere'], 'genesis/invalid', /validators\[1\]\.addresses\[0\]: expected host:port/],
    ['consensus.window', 1_000, 'genesis/invalid', /consensus\.window/],
    ['consensus.transactionsMax', 0, 'genesis/invalid', /consensus\.transactionsMax/],
    ['state.did', undefined, 'genesis/invalid', /state\.did/],
    ['state.governance.roles.0.role', 'king', 'genesis/invalid', /state\.governance\.roles\[0\]\.role/],
  ]
  for (const [path, value, code, said] of cases) {
    const error = thrown(() => genesisFromJson(withValue(genesis, path, value)))
    t.equal(error.code, code, path)
    t.match(error.message, said, path)
  }
  t.equal(thrown(() => readGenesis('{')).code, 'genesis/not-json')
  t.equal(thrown(() => readGenesis('[]')).code, 'genesis/invalid')
})

t.test('what would not work is refused, with what to do', async (t) => {
  const genesis = testGenesis()
  const key = genesisToJson(genesis)
  const firstKey = ((key['validators'] as readonly JsonObject[])[0] as JsonObject)['publicKey'] as string
  const cases: readonly (readonly [path: string, value: Json, code: string, field: string])[] = [
    ['validators.1.name', 'busan-1', 'genesis/name-twice', 'validators[1].name'],
    ['observers.0.name', 'busan-1', 'genesis/name-twice', 'observers[0].name'],
    ['validators.2.publicKey', firstKey, 'genesis/key-twice', 'validators[2].publicKey'],
    ['observers.0.publicKey', firstKey, 'genesis/key-twice', 'observers[0].publicKey'],
    ['validators.1.addresses', ['127.0.0.1:20000'], 'genesis/address-twice', 'validators[1].addresses[0]'],
    ['validators.1.addresses', ['127.0.0.1:0'], 'genesis/address', 'validators[1].addresses[0]'],
    ['validators.1.addresses', ['127.0.0.1:70000'], 'genesis/address', 'validators[1].addresses[0]'],
    ['validators.1.addresses', [], 'genesis/address-missing', 'validators[1].addresses'],
    ['validators.1.organisation', 'kakao', 'genesis/organisation-unknown', 'validators[1].organisation'],
    ['minimums.0.minimum', 3, 'genesis/minimum-unreachable', 'minimums[0].minimum'],
    ['minimums.0.organisation', 'kakao', 'genesis/minimum-unknown', 'minimums[0].organisation'],
    ['minimums.1.organisation', 'busan', 'genesis/minimum-twice', 'minimums[1].organisation'],
    ['state.governance.roles.0.did', 'did:dongbaek:AAAAAAAAAAAAAAAAAAAAAAAAAAA', 'genesis/role-unknown-did', 'state.governance.roles[0].did'],
    ['consensus.window', 31, 'genesis/window', 'consensus.window'],
    ['consensus.pipelineDepth', 65, 'genesis/pipeline', 'consensus.pipelineDepth'],
    ['consensus.viewTimeoutMaxMs', 999, 'genesis/timeouts', 'consensus.viewTimeoutMaxMs'],
    ['consensus.retransmitMs', 1_000, 'genesis/timeouts', 'consensus.retransmitMs'],
    ['consensus.inclusionTimeoutMs', 500, 'genesis/timeouts', 'consensus.inclusionTimeoutMs'],
  ]
  for (const [path, value, code, field] of cases) {
    const error = thrown(() => checkGenesis(genesisFromJson(withValue(genesis, path, value))))
    t.equal(error.code, code, path)
    t.equal(error.data['field'], field, path)
    t.ok(error.message.startsWith(`${field}: `) && error.message.length > 60, `${path}: ${error.message}`)
  }
})

t.test('the ceremony wants one card for each office of the preset', async (t) => {
  const build = (offices: typeof officeCards) => buildGenesis(smallPreset, { name: 'test', timeMs: 1, nodes: nodeCards(4), offices })
  t.match(thrown(() => build(officeCards.slice(2))), { code: 'genesis/office-missing', message: /governor-busan, governor-bnk/ })
  t.equal(thrown(() => build([...officeCards, officeCards[0] as (typeof officeCards)[number]])).code, 'genesis/office-twice')
  t.equal(thrown(() => build([...officeCards, { office: 'mayor', publicKey: publicKeyOf('mayor') }])).code, 'genesis/office-unknown')
  const card = nodeCards(1)[0] as ReturnType<typeof nodeCards>[number]
  t.strictSame(readNodeCard(writeNodeCard(card), 'card.json'), card, 'a card written and read')
  t.equal(thrown(() => readNodeCard('{"name":"busan-1"}', 'card.json')).code, 'genesis/card')
})

t.test('the price of a setting is said beforehand', async (t) => {
  const one = genesisWarnings(testGenesis()).join('\n')
  t.match(one, /Without busan no block is final: every block needs 1 of its 2/)
  t.match(one, /Without bnk no block is final/)
  t.notMatch(one, /halts until/)
  const two = genesisWarnings(testGenesis({ minimums: smallPreset.minimums.map((minimum) => ({ ...minimum, minimum: 2 })) })).join('\n')
  t.match(two, /Every block needs 2 of the 2 validators of busan: with 1 of them down the chain halts/)
  t.match(genesisWarnings(testGenesis({ nodes: nodeCards(1), minimums: [] })).join('\n'), /tolerates no faulty one/)
  const lopsided = testGenesis({ nodes: nodeCards(7).map((card) => ({ ...card, organisation: card.name === 'bnk-1' ? 'bnk' : 'busan' })), minimums: [] })
  t.match(genesisWarnings(lopsided).join('\n'), /busan alone forms a quorum/)
})
