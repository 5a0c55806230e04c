// Answers that are kept while the head stays: never another answer than a fresh reading would give, and never for less of the caller's rate.
import t from 'tap'
import type { Height } from '../../primitives/brand.ts'
import { type Answered, createAnswers } from '../../rpc/answers.ts'
import { answerKeptCharactersMax, answersCharactersMax } from '../../rpc/limits.ts'
import { citizens, createCity, liveADay, post, program, serve, shop } from './scenario.ts'

/** Answers, and how often each question was worked on. */
function counting(): { head: number; seen: number; made: Map<string, number>; ask: (key: string, text?: string) => Promise<string> } {
  const made = new Map<string, number>()
  const answers = createAnswers(() => state.head as Height)
  const state = {
    head: 1,
    /** The height that a reading sees. */
    seen: 1,
    made,
    ask: async (key: string, text?: string) =>
      answers.text(key, async (): Promise<Answered> => {
        made.set(key, (made.get(key) ?? 0) + 1)
        return { height: state.seen as Height, text: text ?? `${key} at ${state.seen}` }
      }),
  }
  return state
}

t.test('an answer is kept while the head stays, and no longer', async (t) => {
  const one = counting()
  t.same([await one.ask('a'), await one.ask('a'), await one.ask('b'), await one.ask('a')], ['a at 1', 'a at 1', 'b at 1', 'a at 1'])
  t.same([...one.made], [['a', 1], ['b', 1]])
  one.head = one.seen = 2
  t.same([await one.ask('a'), await one.ask('b')], ['a at 2', 'b at 2'])
})

t.test('who has seen a block sees none before it: a reading may be of a block that the head does not tell of yet', async (t) => {
  const one = counting()
  t.equal(await one.ask('a'), 'a at 1')
  one.seen = 2
  t.equal(await one.ask('b'), 'b at 2')
  t.equal(await one.ask('a'), 'a at 2', 'though the head is still 1')
  one.head = 2
  t.equal(await one.ask('a'), 'a at 2')
  t.equal(one.made.get('a'), 2, 'kept since')
})

t.test('a reading that began before a block is no answer after it', async (t) => {
  let head = 1
  const answers = createAnswers(() => head as Height)
  const slow = answers.text('a', async () => {
    head = 2
    await answers.text('b', async () => ({ height: 2 as Height, text: 'b at 2' }))
    return { height: 1 as Height, text: 'a at 1' }
  })
  t.equal(await slow, 'a at 1', 'to whom asked before')
  t.equal(await answers.text('a', async () => ({ height: 2 as Height, text: 'a at 2' })), 'a at 2', 'to whom asks after')
})

t.test('what is kept is bounded: the oldest go, what is asked for stays', async (t) => {
  const one = counting()
  const text = 'x'.repeat(answerKeptCharactersMax - 10)
  const fit = answersCharactersMax / answerKeptCharactersMax
  await one.ask('hot', 'small')
  for (let i = 0; i < 3 * fit; i++) {
    await one.ask(`${i}`, text)
    await one.ask('hot')
  }
  t.equal(one.made.get('hot'), 1)
  await one.ask(`${3 * fit - 1}`, text)
  t.equal(one.made.get(`${3 * fit - 1}`), 1)
  await one.ask('0', text)
  t.equal(one.made.get('0'), 2)
  for (let i = 0; i < 2; i++) await one.ask('long', 'x'.repeat(answerKeptCharactersMax + 1))
  t.equal(one.made.get('long'), 2, 'a long one is not kept')
})

t.test('over the wire nobody can tell, but by the reading that is spared', async (t) => {
  const city = createCity()
  await liveADay(city)
  let readings = 0
  const { backend } = city.chain
  const watched = { ...city, chain: { ...city.chain, backend: { ...backend, query: (async (read) => { readings++; return backend.query(read) }) satisfies typeof backend.query } } }
  const { server, url } = await serve(watched, { rate: { perSecond: 0.001, burst: 40 } })
  t.teardown(async () => server.stop())
  const holder = citizens[9]!.did
  const ask = async (id: string, method: string, params: object): Promise<string> => (await post(url, `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${JSON.stringify(params)}}`)).text

  const first = await ask('1', 'points_balance', { did: holder })
  t.match(first, /^\{"jsonrpc":"2.0","id":1,"result":\{.*"balance":298000/)
  t.equal(await ask('"two"', 'points_balance', { did: holder }), first.replace('"id":1', '"id":"two"'), 'with the id of its own')
  t.equal(readings, 1)
  await ask('1', 'points_balance', { did: citizens[8]!.did })
  t.equal(readings, 2, 'other parameters are another question')
  for (let i = 0; i < 2; i++) t.match(await ask('1', 'points_program', { program: 'none' }), /points\/not-found/)
  t.equal(readings, 4, 'that there is none is looked for each time')

  await city.send('points.spend', { program, merchant: shop.did, amount: 3_000 as never }, [citizens[9]!])
  t.match(await ask('1', 'points_balance', { did: holder }), /"balance":295000/)

  // a request 1 and a query 3, whether it was read or kept
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, 'dongbaek_rpc_calls_total{method="points_balance"} 4')
  t.match(metrics, 'dongbaek_rpc_errors_total{method="points_program",code="-32052"} 2')
  const kept: string[] = []
  for (let i = 0; i < 4; i++) kept.push(await ask('1', 'points_balance', { did: holder }))
  t.match(kept.at(-1), /rpc\/rate-limited/, 'after six calls of 4, /metrics and three more 37 are gone')
  t.equal(kept.filter((text) => text.includes('"result"')).length, 3)
})
