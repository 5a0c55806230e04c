// A lottery that anybody draws again from outside: what holds is told, and no node passes off another outcome.
import t from 'tap'
import type { TimeMs } from '../../primitives/brand.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { checkedDraw, type Client, secretHash, type Signer, trustFromGenesis } from '../../rpc/client/index.ts'
import { westArea } from '../support/living-area.ts'
import { citizens, createCity, officer, serve, startMs } from './scenario.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const city = createCity({ livingAreas: [westArea], facilities: [{ id: 'hall', livingArea: 'west', category: 'lecture', title: { ko: '강당' }, position: westArea.centre }] } as never)
const { server, client } = await serve(city)
t.teardown(async () => server.stop())
const trust = trustFromGenesis(city.chain.chainId, city.chain.backend.validators()!.set)
const witness = citizens[19] as Signer
const entrants = citizens.slice(0, 12) as readonly Signer[]
const secrets = new Map([officer, witness].map((party, i) => [party, new Uint8Array(32).fill(i + 1)] as const))

const open = async (slot: string, closesMs: number): Promise<void> => {
  const lottery = [...secrets].map(([{ did }, secret]) => ({ by: did, hash: secretHash(slot, did, secret) }))
  const times = { startsMs: closesMs + 2 * dayMs, endsMs: closesMs + 2 * dayMs + hourMs, opensMs: startMs + 5_000, closesMs, cancelUntilMs: closesMs + dayMs }
  await city.send('reservation.openSlots', { facility: 'hall', slots: [{ id: slot, capacity: 3, waitlistMax: 4, ...(times as Record<keyof typeof times, TimeMs>), lottery }] } as never, [officer, witness])
}
/** Any transaction makes a block, also one that is refused. */
const anything = async (): Promise<void> => void (await city.send('points.reclaim', { program: 'none', dids: [officer.did] }))
const wait = async (ms: number): Promise<void> => {
  city.chain.skip(ms)
  await anything()
}
const reserve = async (slot: string, who: Signer): Promise<void> => void (await city.send('reservation.reserve', { slot }, [who]))
const reveal = async (slot: string): Promise<void> => {
  for (const [party, secret] of secrets) await city.send('reservation.reveal', { slot, secret }, [party])
}

const check = checkedDraw(client, trust)

t.test('who was drawn, by the seed that is proven', async (t) => {
  await open('robots', startMs + hourMs)
  await open('other', startMs + 2 * hourMs)
  await wait(5_000)
  for (const who of entrants) await reserve('robots', who)
  await reserve('other', entrants[0]!)
  // the last takes the place of who leaves, and who comes again is last
  for (const at of [2, 11, 0]) await city.send('reservation.cancel', { slot: 'robots' }, [entrants[at]!])
  await reserve('robots', entrants[2]!)
  t.equal(await check('robots'), undefined, 'registration goes on')
  await wait(hourMs)
  t.equal(await check('robots'), undefined, 'no secret is shown')
  await reveal('robots')
  t.match(await check('robots'), { entrants: 10, drawn: { length: 0 } }, 'the seed is known, and the next block draws')
  await anything()
  const drawn = await check('robots')
  t.match(drawn, { entrants: 10, drawn: { length: 10 } })
  t.strictSame(drawn?.drawn.map(({ outcome }) => outcome), [...Array(3).fill('seat'), ...Array(4).fill('line'), ...Array(3).fill('lost')])
  for (const { did, outcome } of drawn?.drawn ?? []) t.equal((await client.call('reservation_seat', { slot: 'robots', did })).state, { seat: 'confirmed', line: 'waiting', lost: 'lost' }[outcome])
  t.equal(await check('none'), undefined)
})

t.test('a node that tells it otherwise is found out', async (t) => {
  const telling = (change: (items: readonly JsonObject[]) => readonly JsonObject[]): Pick<Client, 'call' | 'callUntyped'> => ({
    callUntyped: client.callUntyped,
    call: (async (method: 'events_since', params: never) => {
      const answer = await client.call(method, params)
      return method === 'events_since' ? { ...answer, items: change(answer.items as unknown as readonly JsonObject[]) as unknown as readonly Json[] } : answer
    }) as Client['call'],
  })
  const eventOf = ({ event }: JsonObject): JsonObject => event as JsonObject
  const isOf = (type: string) => (item: JsonObject): boolean => eventOf(item)['type'] === `reservation.${type}` && eventOf(item)['slot'] === 'robots'
  const without = (items: readonly JsonObject[], at: number): readonly JsonObject[] => items.filter((_, i) => i !== at)
  const swapped = (items: readonly JsonObject[], type: string, field: string): readonly JsonObject[] => {
    const [one, two] = items.filter(isOf(type)) as [JsonObject, JsonObject]
    const other = new Map([[one, two], [two, one]])
    return items.map((item) => (other.has(item) ? { ...item, event: { ...eventOf(item), [field]: eventOf(other.get(item) as JsonObject)[field] as Json } } : item))
  }
  t.ok(await checkedDraw(telling((items) => items), trust)('robots'))
  const lies: readonly (readonly [string, (items: readonly JsonObject[]) => readonly JsonObject[]])[] = [
    ['an entry kept back', (items) => without(items, items.findIndex(isOf('entered')))],
    ['the last entry kept back', (items) => without(items, items.findLastIndex(isOf('entered')))],
    ['two entries changed over', (items) => swapped(items, 'entered', 'did')],
    ['somebody who left kept in', (items) => without(items, items.findIndex(isOf('cancelled')))],
    ['somebody leaves who never came', (items) => items.map((item, i) => (i === items.findIndex(isOf('cancelled')) ? { ...item, event: { ...eventOf(item), did: witness.did } } : item))],
    ['two winners changed over', (items) => swapped(items, 'drawn', 'did')],
    ['a lot kept back', (items) => without(items, items.findLastIndex(isOf('drawn')))],
    ['the end kept back', (items) => without(items, items.findIndex(isOf('registrationEnded')))],
    ['another end', (items) => items.map((item) => (isOf('registrationEnded')(item) ? { ...item, height: (item['height'] as number) + 1 } : item))],
  ]
  for (const [lie, change] of lies) await t.rejects(checkedDraw(telling(change), trust)('robots'), { code: 'proof/draw' }, lie)
})
