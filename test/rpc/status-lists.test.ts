// Status lists of ten million cards, one with few withdrawn and one with many: what they take on the chain, and that each part is served, proven and signed as it is.
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { fromBase64url } from '../../primitives/bytes.ts'
import type { JsonObject } from '../../primitives/schema.ts'
import { getResolver, provenStatus, signStatusList, statusFromIssuer, statusFromList, statusFromNode, trustFromGenesis } from '../../rpc/client/index.ts'
import { chunkOf, statusChunkTable } from '../../state/credential/status.ts'
import { statusChunkBits, statusChunksTouchedMax, statusIndexesMax, statusSegmentBits, statusSegmentBytes } from '../../state/credential/types.ts'
import { encodeValue, stateKey } from '../../state/table.ts'
import { randomOf } from '../simulator/random.ts'
import { createCity, officer as issuer, serve, startMs } from './scenario.ts'

const cards = 10_000_000
const segments = Math.ceil(cards / statusSegmentBits)
const chunks = Math.ceil(cards / statusChunkBits)
const transactionsOfBlock = 50

const city = createCity()
const { server, url, client } = await serve(city, { rate: { perSecond: 0, burst: 0 } })
t.teardown(async () => server.stop())
const trust = trustFromGenesis(city.chain.chainId, city.chain.backend.validators()!.set)

/** So many of the cards, anywhere, ascending. */
function drawn(count: number, seed: number): readonly number[] {
  const random = randomOf(seed)
  const set = new Set<number>()
  while (set.size < count) set.add(random.below(cards))
  return [...set].sort((a, b) => a - b)
}

/** For transactions as large as their bounds allow. */
function parted(indexes: readonly number[]): readonly (readonly number[])[] {
  const parts: number[][] = []
  let touched = new Set<number>()
  for (const index of indexes) {
    const part = parts.at(-1)
    const isFull = part === undefined || part.length === statusIndexesMax || (touched.size === statusChunksTouchedMax && !touched.has(chunkOf(index)))
    if (isFull) {
      parts.push([index])
      touched = new Set()
    } else part.push(index)
    touched.add(chunkOf(index))
  }
  return parts
}

/** Withdraws them by transactions; how many bytes those are. */
async function withdraw(list: string, indexes: readonly number[]): Promise<number> {
  const signed = await Promise.all(parted(indexes).map(async (part) => city.sign('credential.setStatus', { list, purpose: 'revocation', indexes: part, status: true }, [issuer])))
  const encoded = signed.map(({ bytes }) => bytes)
  for (let at = 0; at < encoded.length; at += transactionsOfBlock) if (city.chain.block(encoded.slice(at, at + transactionsOfBlock)).some(({ status }) => status !== 'ok')) throw new Error('a withdrawal was refused')
  return encoded.reduce((sum, { length }) => sum + length, 0)
}

/** Rows of the list in the state, and the bytes of their keys and values. */
async function kept(list: string): Promise<{ readonly rows: number; readonly bytes: number }> {
  return city.chain.backend.query(async (view) => {
    const sizes: number[] = []
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page = await view.scan(statusChunkTable, [list], { cursor, limit: 1_000 })
      sizes.push(...page.items.map(({ key, value }) => stateKey(statusChunkTable, key).length + encodeValue(statusChunkTable, value).length))
      cursor = page.next
    }
    return { rows: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
  })
}

for (const { list, count } of [
  { list: 'cards-few-withdrawn', count: 500 },
  { list: 'cards-many-withdrawn', count: 250_000 },
]) {
  t.test(`ten million cards, ${count} of them withdrawn`, async (t) => {
    const withdrawn = drawn(count, count)
    const transactionBytes = await withdraw(list, withdrawn)
    const { rows, bytes } = await kept(list)
    t.equal(rows, new Set(withdrawn.map(chunkOf)).size, 'a row for each kilobyte in which a bit is set, and none besides')
    t.ok(rows <= chunks && bytes < chunks * 1_100, 'at most a seventh of a byte a card, however many are withdrawn')
    t.ok(transactionBytes < 12 * count, 'a few bytes for each withdrawal')

    const should = new Uint8Array(segments * statusSegmentBytes)
    for (const index of withdrawn) should[index >> 3]! |= 0b1000_0000 >> (index & 7)
    let served = 0
    for (let segment = 0; segment < segments; segment++) {
      const answer = await fetch(`${url}/credentials/status/${list}/${segment}`)
      const { credentialSubject } = (await answer.json()) as { readonly credentialSubject: { readonly encodedList: string } }
      served += credentialSubject.encodedList.length
      const bits = gunzipSync(fromBase64url(credentialSubject.encodedList.slice(1))!)
      if (Buffer.compare(bits, should.subarray(segment * statusSegmentBytes, (segment + 1) * statusSegmentBytes)) !== 0) t.fail(`segment ${segment} is served as it is`)
    }
    t.comment(`${rows} rows of ${chunks}, ${bytes} bytes of state (${Math.round(bytes / 10)} a million cards), ${transactionBytes} of transactions, ${served} served in ${segments} segments`)

    const base = 'https://id.busan.example/status'
    const [first, middle, last] = [withdrawn[0]!, withdrawn[count >> 1]!, withdrawn[count - 1]!]
    const listed = async (path: string): Promise<JsonObject> => (await (await fetch(`${url}/credentials/status/${path}`)).json()) as JsonObject
    const nowMs = startMs + 1_000
    const published = (address: string): Promise<JsonObject> => signStatusList(client, trust, { list, segment: Number(address.split('/').at(-1)), base, validFromMs: startMs, validUntilMs: startMs + 3_600_000 }, issuer)
    const bySigned = statusFromIssuer(published, { resolver: getResolver(client).dongbaek, nowMs })
    for (const index of [first, middle, middle + 1, last, cards - 1]) {
      const entry = { purpose: 'revocation', list, index, base } as const
      const status = (should[index >> 3]! & (0b1000_0000 >> (index & 7))) !== 0
      const found = [await statusFromNode(client)(entry, issuer.did), await provenStatus(client, trust)(entry, issuer.did), await statusFromList(await listed(`${list}/${Math.floor(index / statusSegmentBits)}`), entry, issuer.did), await bySigned(entry, issuer.did)]
      t.strictSame(found, [status, status, status, status], `card ${index}: from the node, proven, from the list, signed by the issuer`)
    }
  })
}
