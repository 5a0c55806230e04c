// Every rule of the community board and every code that it refuses with, and what a node learns about bodies.
import t, { type Test } from 'tap'
import { communityOf } from '../../genesis/presets/boards.ts'
import { livingAreas } from '../../genesis/presets/living-areas.ts'
import type { Hash } from '../../primitives/brand.ts'
import { encode } from '../../primitives/codec.ts'
import { toBase64url, utf8 } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { appeal, decideAppeal } from '../../state/community/appeal.ts'
import { bodyBytesOf, bodyErased, bodyIsReferenced } from '../../state/community/body.ts'
import { communityCodes } from '../../state/community/codes.ts'
import { comment } from '../../state/community/comment.ts'
import { erase } from '../../state/community/erase.ts'
import { communityFamily } from '../../state/community/family.ts'
import { hide } from '../../state/community/hide.ts'
import { news } from '../../state/community/news.ts'
import { post } from '../../state/community/post.ts'
import { appeals, boards, onePost, posts } from '../../state/community/queries.ts'
import { react } from '../../state/community/react.ts'
import { restore } from '../../state/community/restore.ts'
import { cityWide, type CommunityGenesis, genesisSection, type Reason, settingsDefault } from '../../state/community/types.ts'
import type { LivingArea } from '../../state/reservation/types.ts'
import type { Receipt } from '../../state/receipt.ts'
import { createHarness, genesisTimeMs, type Harness, testActor } from '../support/state-harness.ts'

const [mina, jun, sora] = [testActor('mina'), testActor('jun'), testActor('sora')]
const moderator = testActor('moderator of the west')
const officer = testActor('officer of the city')
const cityModerator = testActor('moderator of everything')
const windowMs = 60_000

function area(id: string, longitude: number): LivingArea {
  const centre = { longitude, latitude: 35_105_000 }
  return { id, name: { ko: '동네', en: id }, district: { ko: '중구', en: 'Jung-gu' }, centre, polygon: [centre, { longitude: longitude + 1_000, latitude: 35_105_000 }, { longitude, latitude: 35_106_000 }] }
}

const community: CommunityGenesis = {
  boards: [
    { livingArea: 'west', board: 'talk', title: { ko: '이야기', en: 'Talk' }, open: 'citizens' },
    { livingArea: 'west', board: 'notice', title: { ko: '소식', en: 'Notices' }, open: 'news' },
    { livingArea: 'east', board: 'talk', title: { ko: '이야기', en: 'Talk' }, open: 'citizens' },
    { livingArea: cityWide, board: 'news', title: { ko: '부산 소식', en: 'News of Busan' }, open: 'news' },
  ],
  settings: { bodyBytesMax: 1_000, windowMs, postsPerWindow: 3, commentsPerWindow: 4, reactionsPerWindow: 5 },
}
const reservation = { livingAreas: [area('west', 129_000_000), area('east', 129_100_000)], facilities: [] }

function city(changes: object = {}): Harness {
  return createHarness({
    genesis: { reservation, community, ...changes },
    actors: [mina, jun, sora],
    roles: [
      [moderator, 'moderator', 'west'],
      [officer, 'officer', cityWide],
      [cityModerator, 'moderator', '*'],
    ],
  })
}

let bodies = 0
function body(text = `안녕하세요 ${++bodies}`): { readonly bodyHash: Hash; readonly bodyBytes: number } {
  const content = utf8(text)
  return { bodyHash: sha256(content) as Hash, bodyBytes: content.length }
}

const provoked = new Set<string>()

function refused(test: Test, receipt: Receipt, code: string, data?: object): void {
  test.equal(receipt.code, code)
  test.equal(receipt.events.length, 0)
  if (data !== undefined) test.match(receipt.data, data)
  provoked.add(receipt.code ?? '')
}

function ok(test: Test, receipt: Receipt, type: string, event: object = {}): Receipt {
  test.equal(receipt.status, 'ok', `ok, not ${receipt.code ?? ''} ${JSON.stringify(receipt.data ?? {})}`)
  test.strictSame(receipt.events.map((one) => one.type), [`community.${type}`])
  test.match(receipt.events[0], event)
  return receipt
}

const talk = { livingArea: 'west', board: 'talk' }
const why: Reason = { code: 'abuse', text: '욕설 금지 규칙' }
const mistake: Reason = { code: 'mistake', text: '잘못 가림' }
const nobodys = sha256(utf8('no transaction')) as Receipt['id']

t.test('citizens post on boards of citizens, moderators and officers on boards of news', async (t) => {
  const chain = city()
  const first = body()
  const receipt = ok(t, chain.run(post, mina, { ...talk, ...first }), 'posted', { form: 'post', author: mina.did, livingArea: 'west', board: 'talk', ...first })
  t.match(await chain.query(onePost, { post: receipt.id }), { post: { form: 'post', author: mina.did, number: 1, atMs: genesisTimeMs, height: 1, ...first }, counts: { comments: 0, like: 0 }, comments: [] })
  refused(t, chain.run(post, mina, { ...talk, board: 'none', ...body() }), 'community/unknown-board', { board: 'none' })
  refused(t, chain.run(post, mina, { livingArea: 'nowhere', board: 'talk', ...body() }), 'community/unknown-board')
  refused(t, chain.run(post, moderator, { ...talk, board: 'notice', ...body() }), 'community/news-only')
  refused(t, chain.run(news, mina, { ...talk, board: 'notice', title: '소식', ...body() }), 'community/not-editor', { livingArea: 'west' })
  refused(t, chain.run(news, moderator, { livingArea: cityWide, board: 'news', title: '소식', ...body() }), 'community/not-editor', { livingArea: cityWide })
  refused(t, chain.run(news, moderator, { ...talk, title: '소식', ...body() }), 'community/not-news')
  refused(t, chain.run(news, moderator, { ...talk, board: 'none', title: '소식', ...body() }), 'community/unknown-board')
  ok(t, chain.run(news, moderator, { ...talk, board: 'notice', title: '도서관 휴관', ...body() }), 'posted', { form: 'news', title: '도서관 휴관' })
  const ofTheCity = ok(t, chain.run(news, officer, { livingArea: cityWide, board: 'news', title: '통합시민플랫폼', ...body() }), 'posted')
  ok(t, chain.run(news, cityModerator, { livingArea: cityWide, board: 'news', title: '동백전', ...body() }), 'posted')
  t.match(await chain.query(onePost, { post: ofTheCity.id }), { post: { form: 'news', title: '통합시민플랫폼', author: officer.did } })
})

t.test('a body is small enough, belongs to one post, and stays erased', (t) => {
  const chain = city()
  refused(t, chain.run(post, mina, { ...talk, bodyHash: body().bodyHash, bodyBytes: 1_001 }), 'community/body-too-large', { bodyBytesMax: 1_000 })
  const shared = body()
  t.equal(bodyIsReferenced(chain.view(), shared.bodyHash), false)
  t.equal(bodyErased(chain.view(), shared.bodyHash), false)
  const { id } = ok(t, chain.run(post, mina, { ...talk, ...shared }), 'posted')
  t.equal(bodyIsReferenced(chain.view(), shared.bodyHash), true)
  t.equal(bodyBytesOf(chain.view(), shared.bodyHash), shared.bodyBytes)
  refused(t, chain.run(post, jun, { ...talk, ...shared }), 'community/body-taken')
  refused(t, chain.run(comment, jun, { parent: id, ...shared }), 'community/body-taken')
  refused(t, chain.run(news, moderator, { ...talk, board: 'notice', title: '소식', ...shared }), 'community/body-taken')
  ok(t, chain.run(erase, mina, { post: id }), 'erased', { bodyHash: shared.bodyHash, by: mina.did })
  t.equal(bodyIsReferenced(chain.view(), shared.bodyHash), false)
  t.equal(bodyErased(chain.view(), shared.bodyHash), true)
  for (const again of [chain.run(post, mina, { ...talk, ...shared }), chain.run(post, jun, { ...talk, ...shared })]) refused(t, again, 'community/body-erased')
  t.end()
})

t.test('comments stand under the post, whatever they reply to', async (t) => {
  const chain = city()
  const { id: top } = chain.run(post, mina, { ...talk, ...body() })
  const { id: other } = chain.run(post, mina, { ...talk, ...body() })
  const { id: first } = ok(t, chain.run(comment, jun, { parent: top, ...body() }), 'commented', { root: top, parent: top, author: jun.did, livingArea: 'west' })
  const { id: second } = ok(t, chain.run(comment, mina, { parent: first, ...body() }), 'commented', { root: top, parent: first })
  const { id: third } = ok(t, chain.run(comment, jun, { parent: second, ...body() }), 'commented', { root: top, parent: second })
  chain.run(comment, jun, { parent: other, ...body() })
  refused(t, chain.run(comment, jun, { parent: nobodys, ...body() }), 'community/unknown-post')
  refused(t, chain.run(comment, jun, { parent: top, bodyHash: body().bodyHash, bodyBytes: 5_000 }), 'community/body-too-large')
  const page = await chain.query(onePost, { post: top, limit: 2 })
  t.equal(page?.counts.comments, 3)
  t.strictSame(page?.comments.map(({ id, post: one }) => [toBase64url(id), one.number]), [[toBase64url(first), 1], [toBase64url(second), 2]])
  t.strictSame((await chain.query(onePost, { post: top, limit: 2, cursor: page?.next ?? '' }))?.comments.map(({ id }) => toBase64url(id)), [toBase64url(third)])
  t.strictSame((await chain.query(onePost, { post: first }))?.comments, [], 'a comment has no thread of its own')
  t.equal(await chain.query(onePost, { post: nobodys }), undefined)
})

t.test('one reaction each, changed and taken back', async (t) => {
  const chain = city()
  const { id } = chain.run(post, mina, { ...talk, ...body() })
  const counts = async (): Promise<unknown> => (await chain.query(onePost, { post: id, did: jun.did }))?.counts
  refused(t, chain.run(react, jun, { post: nobodys, reaction: 'like' }), 'community/unknown-post')
  refused(t, chain.run(react, jun, { post: id }), 'community/no-reaction')
  ok(t, chain.run(react, jun, { post: id, reaction: 'like' }), 'reacted', { by: jun.did, reaction: 'like' })
  refused(t, chain.run(react, jun, { post: id, reaction: 'like' }), 'community/same-reaction')
  ok(t, chain.run(react, mina, { post: id, reaction: 'like' }), 'reacted')
  t.match(await counts(), { like: 2, thanks: 0 })
  ok(t, chain.run(react, jun, { post: id, reaction: 'thanks' }), 'reacted')
  t.match(await counts(), { like: 1, thanks: 1 })
  t.equal((await chain.query(onePost, { post: id, did: jun.did }))?.reaction, 'thanks')
  const { events } = ok(t, chain.run(react, jun, { post: id }), 'reacted')
  t.notOk('reaction' in (events[0] ?? {}))
  t.match(await counts(), { like: 1, thanks: 0 })
  t.equal((await chain.query(onePost, { post: id, did: jun.did }))?.reaction, undefined)
})

t.test('moderators hide and restore within their living area, and say why', async (t) => {
  const chain = city()
  const { id } = chain.run(post, mina, { ...talk, ...body() })
  const { id: far } = chain.run(post, mina, { livingArea: 'east', board: 'talk', ...body() })
  const { id: reply } = chain.run(comment, jun, { parent: id, ...body() })
  refused(t, chain.run(hide, mina, { post: id, reason: why }), 'community/not-moderator', { livingArea: 'west' })
  refused(t, chain.run(hide, moderator, { post: far, reason: why }), 'community/not-moderator', { livingArea: 'east' })
  refused(t, chain.run(hide, moderator, { post: nobodys, reason: why }), 'community/unknown-post')
  refused(t, chain.run(restore, moderator, { post: id, reason: why }), 'community/not-hidden')
  ok(t, chain.run(hide, moderator, { post: id, reason: why }), 'hidden', { post: id, by: moderator.did, reason: why })
  refused(t, chain.run(hide, cityModerator, { post: id, reason: why }), 'community/already-hidden', { by: moderator.did })
  t.match(await chain.query(onePost, { post: id }), { post: { hidden: { by: moderator.did, reason: why } } }, 'who hid it and why is there to see')
  refused(t, chain.run(comment, jun, { parent: id, ...body() }), 'community/post-hidden', { code: 'abuse' })
  refused(t, chain.run(comment, jun, { parent: reply, ...body() }), 'community/post-hidden')
  refused(t, chain.run(react, jun, { post: id, reaction: 'sad' }), 'community/post-hidden')
  refused(t, chain.run(restore, jun, { post: id, reason: why }), 'community/not-moderator')
  ok(t, chain.run(restore, cityModerator, { post: id, reason: mistake }), 'restored', { reason: { code: 'mistake' } })
  t.equal((await chain.query(onePost, { post: id }))?.post.hidden, undefined)
  ok(t, chain.run(comment, jun, { parent: reply, ...body() }), 'commented')
  ok(t, chain.run(hide, cityModerator, { post: far, reason: why }), 'hidden')
  ok(t, chain.run(hide, moderator, { post: reply, reason: why }), 'hidden')
  refused(t, chain.run(comment, jun, { parent: reply, ...body() }), 'community/post-hidden')
  ok(t, chain.run(comment, jun, { parent: id, ...body() }), 'commented')
})

t.test('erased is erased: by the author, or by a moderator with a reason', async (t) => {
  const chain = city()
  const first = body()
  const { id } = chain.run(post, mina, { ...talk, ...first })
  const { id: reply } = chain.run(comment, jun, { parent: id, ...body() })
  refused(t, chain.run(erase, jun, { post: id }), 'community/not-author')
  refused(t, chain.run(erase, mina, { post: nobodys }), 'community/unknown-post')
  refused(t, chain.run(erase, moderator, { post: id }), 'community/reason-required')
  t.equal(bodyErased(chain.view(), first.bodyHash), false)
  chain.run(hide, moderator, { post: id, reason: why })
  ok(t, chain.run(erase, moderator, { post: id, reason: why }), 'erased', { by: moderator.did, bodyHash: first.bodyHash, reason: why })
  t.match(await chain.query(onePost, { post: id }), { post: { erased: { by: moderator.did, reason: why }, hidden: { reason: why }, ...first } }, 'a tombstone')
  refused(t, chain.run(erase, mina, { post: id }), 'community/post-erased')
  refused(t, chain.run(erase, moderator, { post: id, reason: why }), 'community/post-erased')
  for (const kind of [hide, restore]) refused(t, chain.run(kind, moderator, { post: id, reason: why }), 'community/post-erased')
  refused(t, chain.run(react, jun, { post: id, reaction: 'sad' }), 'community/post-erased')
  refused(t, chain.run(comment, jun, { parent: reply, ...body() }), 'community/post-erased')
  const { events } = ok(t, chain.run(erase, jun, { post: reply }), 'erased', { by: jun.did })
  t.notOk('reason' in (events[0] ?? {}))
})

t.test('a DID does so much in a window of block time', (t) => {
  const chain = city()
  chain.advance(windowMs - (chain.next().timeMs % windowMs))
  const startMs = chain.next().timeMs
  for (let i = 0; i < 3; i++) ok(t, chain.run(post, mina, { ...talk, ...body() }), 'posted')
  const { id } = chain.run(post, jun, { ...talk, ...body() })
  refused(t, chain.run(post, mina, { ...talk, ...body() }), 'community/rate-limit', { what: 'posts', limit: 3, nextWindowMs: startMs + windowMs })
  refused(t, chain.run(post, mina, { livingArea: 'east', board: 'talk', ...body() }), 'community/rate-limit')
  for (let i = 0; i < 4; i++) ok(t, chain.run(comment, mina, { parent: id, ...body() }), 'commented')
  refused(t, chain.run(comment, mina, { parent: id, ...body() }), 'community/rate-limit', { what: 'comments', limit: 4 })
  for (const reaction of ['like', 'sad', 'like', 'sad', 'like'] as const) ok(t, chain.run(react, mina, { post: id, reaction }), 'reacted')
  refused(t, chain.run(react, mina, { post: id }), 'community/rate-limit', { what: 'reactions', limit: 5 })
  const refusedBody = body()
  refused(t, chain.run(post, mina, { ...talk, ...refusedBody }), 'community/rate-limit')
  t.equal(bodyIsReferenced(chain.view(), refusedBody.bodyHash), false, 'nothing of the refused stays')
  chain.advance(startMs + windowMs - 1 - chain.next().timeMs)
  refused(t, chain.run(post, mina, { ...talk, ...body() }), 'community/rate-limit')
  chain.advance(startMs + windowMs - chain.next().timeMs)
  for (let i = 0; i < 3; i++) ok(t, chain.run(post, mina, { ...talk, ...body() }), 'posted')
  refused(t, chain.run(post, mina, { ...talk, ...body() }), 'community/rate-limit', { nextWindowMs: startMs + 2 * windowMs })
  ok(t, chain.run(react, mina, { post: id }), 'reacted')
  for (let i = 0; i < 5; i++) ok(t, chain.run(news, moderator, { ...talk, board: 'notice', title: '소식', ...body() }), 'posted')
  t.end()
})

t.test('lists: boards with the limits, posts newest first', async (t) => {
  const chain = city()
  const ids: Receipt['id'][] = []
  for (const author of [mina, jun, sora]) for (let i = 0; i < 3; i++) ids.push(chain.run(post, author, { ...talk, ...body() }).id)
  chain.run(post, testActor('mina'), { livingArea: 'east', board: 'talk', ...body() })
  chain.run(hide, moderator, { post: ids[4] as Receipt['id'], reason: why })
  chain.run(erase, mina, { post: ids[0] as Receipt['id'] })
  const found: Receipt['id'][] = []
  let cursor: string | undefined
  do {
    const page = await chain.query(posts, { ...talk, limit: 4, ...(cursor !== undefined && { cursor }) })
    found.push(...(page?.items ?? []).map(({ id }) => id))
    cursor = page?.next
    // one more comes while the reader turns the page: it shifts nothing
    if (cursor !== undefined && found.length === 4) {
      chain.advance(windowMs)
      chain.run(post, mina, { ...talk, ...body() })
    }
  } while (cursor !== undefined)
  t.strictSame(found.map(toBase64url), [...ids].reverse().map(toBase64url))
  const page = await chain.query(posts, { ...talk, limit: 100 })
  t.equal(page?.items.length, 10)
  t.equal(page?.items[5]?.post.hidden?.by, moderator.did)
  t.equal(page?.items[9]?.post.erased?.by, mina.did)
  t.equal(await chain.query(posts, { livingArea: 'west', board: 'none' }), undefined)
  t.strictSame((await chain.query(boards, { livingArea: 'west' }))?.items.map(({ board }) => board), ['notice', 'talk'])
  t.match(await chain.query(boards, {}), { items: { length: 4 }, settings: { bodyBytesMax: 1_000 } })
})

t.test('genesis: the defaults, and what contradicts itself', async (t) => {
  t.strictSame((await city({ community: { boards: [] } }).query(boards, {}))?.settings, settingsDefault)
  t.throws(() => encode(genesisSection, { boards: [...community.boards, ...community.boards.slice(0, 1)] }), { code: 'codec/invalid' })
  t.throws(() => city({ reservation: { livingAreas: [area('west', 129_000_000)], facilities: [] } }), /living area east/)
  t.throws(() => city({ reservation: { ...reservation, livingAreas: [...reservation.livingAreas, area(cityWide, 129_150_000)] } }), /no living area named city/)
  const preset = communityOf(livingAreas)
  t.equal(preset.boards.length, 1 + 3 * 62)
  const chain = city({ reservation: { livingAreas, facilities: [] }, community: preset })
  t.equal((await chain.query(boards, { limit: 1_000 }))?.items.length, preset.boards.length)
})

t.test('an appeal is decided by another moderator', async (t) => {
  const chain = city()
  const { id } = chain.run(post, mina, { livingArea: 'west', board: 'talk', ...body() })
  const ask = (who = mina): Receipt => chain.run(appeal, who, { post: id, ground: 'misunderstood' })
  const decide = (who: typeof mina, isRestored: boolean): Receipt => chain.run(decideAppeal, who, { post: id, restore: isRestored, reason: why })
  const waiting = async (): Promise<number | undefined> => (await chain.query(appeals, { livingArea: 'west' }))?.items.length
  refused(t, chain.run(appeal, mina, { post: sha256(utf8('none')) as never, ground: 'other' }), 'community/unknown-post')
  refused(t, ask(), 'community/not-hidden')
  refused(t, decide(cityModerator, true), 'community/no-appeal')
  chain.run(hide, moderator, { post: id, reason: why })
  refused(t, decide(cityModerator, true), 'community/no-appeal')
  refused(t, ask(jun), 'community/not-author')
  ok(t, ask(), 'appealed', { by: mina.did, ground: 'misunderstood' })
  refused(t, ask(), 'community/already-appealed')
  t.equal(await waiting(), 1)
  refused(t, decide(jun, true), 'community/not-moderator')
  refused(t, decide(moderator, false), 'community/own-decision')
  ok(t, decide(cityModerator, false), 'appealRejected', { by: cityModerator.did })
  t.match(await chain.query(onePost, { post: id }), { post: { hidden: { by: moderator.did, appeal: { rejected: { by: cityModerator.did, reason: why } } } } })
  t.equal(await waiting(), 0)
  refused(t, ask(), 'community/already-appealed')
  refused(t, decide(cityModerator, true), 'community/no-appeal')
  // hidden anew, it may be appealed anew
  chain.run(restore, moderator, { post: id, reason: why })
  chain.run(hide, cityModerator, { post: id, reason: why })
  ok(t, ask(), 'appealed')
  ok(t, decide(moderator, true), 'restored', { by: moderator.did })
  t.equal((await chain.query(onePost, { post: id }))?.post.hidden, undefined)
  for (const [end, code] of [['restore', 'community/not-hidden'], ['erase', 'community/post-erased']] as const) {
    chain.run(hide, moderator, { post: id, reason: why })
    ok(t, ask(), 'appealed')
    t.equal(await waiting(), 1)
    if (end === 'restore') chain.run(restore, moderator, { post: id, reason: why })
    else chain.run(erase, moderator, { post: id, reason: why })
    t.equal(await waiting(), 0, `${end} leaves nothing to decide`)
    refused(t, ask(), code)
  }
})

t.test('each code was provoked', (t) => {
  t.strictSame([...provoked].sort(), Object.keys(communityCodes).sort())
  t.equal(communityFamily.codes, communityCodes)
  t.end()
})
