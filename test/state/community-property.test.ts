// Whatever happens on the boards: the counts equal the rows, feeds and threads are whole and in order, nobody passes the limits, and what was erased
// never comes back.
import fc from 'fast-check'
import t from 'tap'
import type { Hash } from '../../primitives/brand.ts'
import { fromBase64url, toBase64url, utf8 } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { sha256 } from '../../primitives/hash.ts'
import { bodyErased, bodyIsReferenced } from '../../state/community/body.ts'
import { comment } from '../../state/community/comment.ts'
import { erase } from '../../state/community/erase.ts'
import { hide } from '../../state/community/hide.ts'
import { bodyTable, countsTable, feedTable, postTable, reactionTable, threadTable } from '../../state/community/keys.ts'
import { post } from '../../state/community/post.ts'
import { readCounts } from '../../state/community/posts.ts'
import { react } from '../../state/community/react.ts'
import { restore } from '../../state/community/restore.ts'
import { cityWide, reactionKinds } from '../../state/community/types.ts'
import type { Receipt } from '../../state/receipt.ts'
import { decodeValue, type Table } from '../../state/table.ts'
import { createHarness, type Harness, testActor, type TestActor } from '../support/state-harness.ts'

const people = ['mina', 'jun', 'sora', 'hana'].map((name) => testActor(name))
const moderator = testActor('moderator')
const windowMs = 40_000
const limits = { posts: 2, comments: 2, reactions: 3 }
const reason = { code: 'off-topic', text: '주제 밖' } as const

function city(): Harness {
  const board = (name: string): object => ({ livingArea: cityWide, board: name, title: { ko: '게시판', en: name }, open: 'citizens' })
  return createHarness({
    genesis: {
      community: { boards: [board('a'), board('b')], settings: { bodyBytesMax: 100, windowMs, postsPerWindow: limits.posts, commentsPerWindow: limits.comments, reactionsPerWindow: limits.reactions } },
    },
    actors: people,
    roles: [[moderator, 'moderator', cityWide]],
  })
}

interface Step {
  readonly verb: 'post' | 'comment' | 'react' | 'hide' | 'restore' | 'erase'
  readonly who: number
  readonly which: number
  /** Of few, so that bodies meet again. */
  readonly body: number
  readonly reaction: number
}

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.oneof(...([['post', 6], ['comment', 8], ['react', 8], ['hide', 2], ['restore', 2], ['erase', 3]] as const).map(([verb, weight]) => ({ arbitrary: fc.constant(verb), weight }))),
  who: fc.nat({ max: people.length - 1 }),
  which: fc.nat({ max: 997 }),
  body: fc.nat({ max: 40 }),
  reaction: fc.nat({ max: reactionKinds.length }),
})

function rowsOf<T>(chain: Harness, table: Table<T>): readonly { readonly key: readonly string[]; readonly value: T }[] {
  return chain
    .entries()
    .filter(([key]) => key.startsWith(`${table.name}/`))
    .map(([key, value]) => ({ key: key.split('/').slice(1), value: decodeValue(table, value) }))
}

function run(chain: Harness, ids: readonly Receipt['id'][], { verb, who, which, body: bodyAt, reaction: reactionAt }: Step): Receipt {
  const person = people[who] as TestActor
  const body = { bodyHash: sha256(utf8(`body ${bodyAt}`)) as Hash, bodyBytes: 10 }
  const target = ids[which % Math.max(1, ids.length)] ?? (sha256(utf8('none')) as Receipt['id'])
  const reaction = reactionKinds[reactionAt]
  switch (verb) {
    case 'post':
      return chain.run(post, person, { livingArea: cityWide, board: which % 2 === 0 ? 'a' : 'b', ...body })
    case 'comment':
      return chain.run(comment, person, { parent: target, ...body })
    case 'react':
      return chain.run(react, person, { post: target, ...(reaction !== undefined && { reaction }) })
    case 'hide':
      return chain.run(hide, moderator, { post: target, reason })
    case 'restore':
      return chain.run(restore, moderator, { post: target, reason })
    case 'erase':
      return chain.run(erase, which % 3 === 0 ? moderator : person, { post: target, ...(which % 2 === 0 && { reason }) })
  }
}

function checkState(chain: Harness, ids: readonly Receipt['id'][], erasedBodies: ReadonlySet<string>): void {
  const view = chain.view()
  const all = rowsOf(chain, postTable)
  assert(all.map(({ key }) => key[0] as string).sort().join() === ids.map(toBase64url).sort().join(), 'a row for each post')
  const reactions = rowsOf(chain, reactionTable)
  for (const id of ids) {
    const counts = readCounts(view, id)
    const key = toBase64url(id)
    for (const kind of reactionKinds) assert(counts[kind] === reactions.filter((row) => row.key[0] === key && row.value.reaction === kind).length, `${kind} of a post`)
    const thread = rowsOf(chain, threadTable).filter((row) => row.key[0] === key)
    assert(counts.comments === thread.length && thread.every((row, i) => Number(row.key[1]) === i + 1 && toBase64url(view.get(postTable, toBase64url(row.value.post))?.root ?? new Uint8Array()) === key), 'comments under a post')
  }
  assert(rowsOf(chain, countsTable).every(({ key }) => all.some((row) => row.key[0] === key[0])), 'counts of posts only')
  const order = (row: { readonly value: { readonly post: Uint8Array } }): number => ids.findIndex((id) => toBase64url(id) === toBase64url(row.value.post))
  for (const board of ['a', 'b']) {
    const feed = rowsOf(chain, feedTable).filter(({ key }) => key[1] === board)
    assert(feed.length === all.filter(({ value }) => value.form === 'post' && value.board === board).length, 'the feed is whole')
    assert(feed.every((row, i) => i === 0 || order(row) < order(feed[i - 1] as typeof row)), 'newest first')
  }
  for (const { key, value } of rowsOf(chain, bodyTable)) {
    const hash = fromBase64url(key[0] as string) as Hash
    assert(bodyIsReferenced(view, hash) !== bodyErased(view, hash), 'a body is referenced or erased')
    assert(bodyErased(view, hash) === erasedBodies.has(key[0] as string), 'what was erased stays erased')
    assert((view.get(postTable, toBase64url(value.post))?.erased !== undefined) === bodyErased(view, hash), 'the post says so too')
  }
}

t.test('random lives of four people on two boards', (t) => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), (steps) => {
      const chain = city()
      const ids: Receipt['id'][] = []
      const erasedBodies = new Set<string>()
      const did = new Map<string, number>()
      for (const one of steps) {
        const { timeMs } = chain.next()
        const receipt = run(chain, ids, one)
        for (const event of receipt.events) {
          seen.set(event.type, (seen.get(event.type) ?? 0) + 1)
          if (event.type === 'community.posted' || event.type === 'community.commented') ids.push(receipt.id)
          if (event.type === 'community.erased') erasedBodies.add(toBase64url((event as unknown as { readonly bodyHash: Hash }).bodyHash))
          const what = ({ post: 'posts', comment: 'comments', react: 'reactions' } as const)[one.verb as 'post']
          if (what === undefined) continue
          const key = `${one.who} ${what} ${Math.floor(timeMs / windowMs)}`
          const times = (did.get(key) ?? 0) + 1
          did.set(key, times)
          assert(times <= limits[what], `${key}: ${times}`)
        }
        if (receipt.code !== undefined) seen.set(receipt.code, (seen.get(receipt.code) ?? 0) + 1)
      }
      checkState(chain, ids, erasedBodies)
    }),
    { numRuns: 80, seed: 20260514 },
  )
  for (const type of ['posted', 'commented', 'reacted', 'hidden', 'restored', 'erased']) t.ok((seen.get(`community.${type}`) ?? 0) > 10, `${type} happened`)
  for (const code of ['body-taken', 'body-erased', 'post-hidden', 'post-erased', 'rate-limit']) t.ok((seen.get(`community/${code}`) ?? 0) > 5, `${code} happened`)
  t.comment([...seen].map(([what, times]) => `${what} ${times}`).join(', '))
  t.end()
})
