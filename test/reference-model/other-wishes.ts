// Random transactions of did, credential, community and governance, read against what their events have told so far.
import { fromHex, toHex as hex, utf8 } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { Event } from '../../state/family.ts'
import type { Executed } from '../../state/execute.ts'
import { reactionKinds } from '../../state/community/types.ts'
import { recoveryHashOf } from '../../state/did/types.ts'
import type { Random } from '../simulator/random.ts'
import { testGovernors, testKey, type TestActor, type TestKey, withKey } from '../support/state-harness.ts'
import type { City, Wish } from './city.ts'
import { boards, editor, governors, headModerator, issuers, moderators, newcomers, registrars, residents } from './others.ts'
import { dayMs, hourMs } from './world.ts'

interface Post {
  readonly id: string
  readonly author: string
  state: 'shown' | 'hidden' | 'appealed'
}

/** What the events have told. */
export interface Known {
  readonly registered: TestActor[]
  readonly versions: Map<string, number>
  readonly requested: Set<string>
  readonly posts: Post[]
  readonly proposals: { readonly number: number; readonly expiresMs: number }[]
  readonly paused: Set<string>
}

export function createKnown(): Known {
  return { registered: [...residents], versions: new Map(), requested: new Set(), posts: [], proposals: [], paused: new Set() }
}

/** What the events here bear, each its part of it. */
interface Facts {
  readonly did: string
  readonly version: number
  readonly post: Uint8Array
  readonly author: string
  readonly proposal: number
  readonly expiresMs: number
  readonly family: string
}

export function learn(known: Known, { outcome, receipts }: Executed): void {
  for (const event of [...outcome.events, ...receipts.flatMap(({ events }) => events)]) {
    const { type, did, version, post, author, proposal, expiresMs, family } = event as Event & Facts
    if (type === 'did.registered') {
      const newcomer = newcomers.find((each) => each.did === did)
      if (newcomer !== undefined) known.registered.push(newcomer)
    } else if (type === 'did.updated' || type === 'did.recovered') known.versions.set(did, version)
    else if (type === 'did.recoveryRequested') known.requested.add(did)
    else if (type === 'community.posted' || type === 'community.commented') known.posts.push({ id: hex(post), author, state: 'shown' })
    else if (type in stateAfter) known.posts.filter(({ id }) => id === hex(post)).forEach((each) => (each.state = stateAfter[type] ?? each.state))
    else if (type === 'governance.proposed') known.proposals.push({ number: proposal, expiresMs })
    else if (type === 'governance.closed') known.proposals.splice(known.proposals.findIndex(({ number }) => number === proposal), 1)
    else if (type === 'governance.familyPaused') known.paused.add(family)
    else if (type === 'governance.familyResumed') known.paused.delete(family)
  }
}

const stateAfter: Readonly<Record<string, Post['state']>> = { 'community.hidden': 'hidden', 'community.appealed': 'appealed', 'community.restored': 'shown', 'community.appealRejected': 'hidden' }

type Wisher = (known: Known, city: City, random: Random) => Omit<Wish, 'kind'> | undefined

/** The keys that a DID may come to have; the first is its own. */
function keysOf({ did, multikey, sign }: TestActor): readonly TestKey[] {
  return [{ multikey, sign }, testKey(`phone of ${did}`), testKey(`card of ${did}`)]
}
const safeOf = ({ did }: TestActor): TestKey => testKey(`safe of ${did}`)

function listed(keys: readonly TestKey[]): readonly unknown[] {
  return keys.map(({ multikey }) => ({ key: multikey, relationships: ['authentication', 'assertionMethod'] }))
}

/** The DID by one of its keys: mostly the first, which is mostly kept. */
function by(random: Random, who: TestActor): TestActor {
  return withKey(who, random.chance(0.9) ? (keysOf(who)[0] as TestKey) : random.pick(keysOf(who)))
}

function someKeys(random: Random, who: TestActor): readonly unknown[] {
  const [own, ...more] = keysOf(who)
  assert(own !== undefined, 'a key')
  return listed(random.chance(0.9) ? [own, ...random.shuffled(more).slice(0, random.below(3))] : random.shuffled(more).slice(0, 1))
}

const recovery = (random: Random, who: TestActor): unknown => (random.chance(0.4) ? recoveryHashOf(safeOf(who).multikey) : undefined)
const services: readonly unknown[] = []

function text(random: Random): { readonly bodyHash: Uint8Array; readonly bodyBytes: number } {
  return { bodyHash: sha256(utf8(`body ${random.below(random.chance(0.05) ? 20 : 10_000_000)}`)), bodyBytes: random.chance(0.03) ? 60_000 : 1 + random.below(4_000) }
}

const somePost = (known: Known, random: Random): Post | undefined => (known.posts.length === 0 ? undefined : known.posts[Math.max(0, known.posts.length - 1 - random.below(random.chance(0.8) ? 12 : known.posts.length))])
const reason = { code: 'off-topic', text: '주제 밖' }

/** About a post: by its author, or by a moderator, or by somebody else. */
function aboutPost(random: Random, known: Known, state: Post['state'], authors: number, payload: (post: Uint8Array | undefined) => unknown): Omit<Wish, 'kind'> | undefined {
  const fitting = random.chance(0.85) ? known.posts.filter((each) => each.state === state) : []
  const post = fitting.length > 0 ? random.pick(fitting) : somePost(known, random)
  if (post === undefined) return undefined
  const author = known.registered.find(({ did }) => did === post.author)
  const sender = author !== undefined && random.chance(authors) ? author : random.chance(0.9) ? random.pick(moderators) : random.pick(residents)
  return { sender: by(random, sender), payload: payload(fromHex(post.id)) }
}

function action(city: City, random: Random, known: Known): unknown {
  const name = `validator-${random.below(6)}`
  const key = testKey(`node ${random.below(1_000)}`).multikey.slice(-32)
  const addresses = ['10.0.1.1:26600']
  if (known.paused.size > 0 && random.chance(0.7)) return { type: 'resumeFamily', family: random.pick([...known.paused]) }
  return random.pick<() => unknown>([
    () => ({ type: 'grantRole', did: random.pick(residents).did, role: 'moderator', scope: 'city', ...(random.chance(0.3) && { untilMs: city.harness.next().timeMs + dayMs }) }),
    () => ({ type: 'revokeRole', did: random.pick(residents).did, role: 'moderator', scope: 'city' }),
    () => ({ type: 'setParameters', parameters: { recoveryWaitMs: random.pick([60_000, 3_600_000, dayMs]) } }),
    () => ({ type: 'setReservations', settings: random.pick<() => unknown>([
      () => ({ holdMs: random.pick([5, 10, 30]) * 60_000 }),
      () => ({ offerMs: random.pick([1, 6, 24]) * hourMs, absencesMax: 1 + random.below(3) }),
      () => ({ absenceWindowMs: (1 + random.below(20)) * dayMs, blockMs: (1 + random.below(10)) * dayMs }),
    ])() }),
    () => ({ type: 'setCommunity', settings: random.pick<() => unknown>([
      () => ({ bodyBytesMax: 3_000 + random.below(4_000) }),
      () => ({ windowMs: random.pick([5, 10, 60]) * 60_000, commentsPerWindow: 2 + random.below(4) }),
      () => ({ postsPerWindow: 2 + random.below(3), reactionsPerWindow: 4 + random.below(4) }),
    ])() }),
    () => ({ type: 'changeValidators', changes: [random.pick([{ type: 'add', name, organisation: random.pick(['city', 'bank']), publicKey: key, addresses }, { type: 'remove', name }, { type: 'replaceKey', name, publicKey: key }])] }),
    () => ({ type: 'setAddresses', name, addresses: [`10.0.2.${random.below(200)}:26600`] }),
    () => ({ type: 'activateRules', version: 2, fromHeight: 1_000_000 + random.below(100) }),
    () => ({ type: 'pauseFamily', family: random.pick(['credential', 'community']) }),
    () => ({ type: 'resumeFamily', family: 'community' }),
  ])()
}

const allGovernors = [testGovernors.city, testGovernors.bank, ...governors.map(({ actor }) => actor)]

export const otherWishes: readonly (readonly [weight: number, kind: string, wish: Wisher])[] = [
  [3, 'did.register', (known, _, random) => {
    const left = newcomers.filter((each) => !known.registered.includes(each))
    const sender = left.length > 0 && random.chance(0.8) ? random.pick(left) : random.pick(residents)
    return { sender, cosigners: random.chance(0.9) ? [random.pick(registrars)] : [], payload: { keys: sender.keys, services, recovery: recovery(random, sender) } }
  }],
  [6, 'did.update', (known, city, random) => {
    const who = random.pick(known.registered)
    const baseVersion = (known.versions.get(who.did) ?? 1) + (random.chance(0.05) ? 1 : 0)
    return { sender: by(random, who), payload: { baseVersion, keys: someKeys(random, who), services, recovery: recovery(random, who), ...(random.chance(0.3) && { fromHeight: city.harness.next().height + random.below(5) }) } }
  }],
  [3, 'did.recover', (known, _, random) => {
    const who = random.pick(known.registered)
    return { sender: withKey(who, random.chance(0.9) ? safeOf(who) : who), payload: { keys: someKeys(random, who), services } }
  }],
  [3, 'did.requestRecovery', (known, _, random) => {
    const who = random.pick(known.registered)
    return { sender: random.chance(0.95) ? random.pick(registrars) : random.pick(residents), cosigners: random.chance(0.2) ? registrars : [], payload: { did: who.did, keys: someKeys(random, who), services, recovery: recovery(random, who) } }
  }],
  [2, 'did.stopRecovery', (known, _, random) => {
    const who = random.pick(known.registered.filter(({ did }) => known.requested.has(did) || random.chance(0.05)).concat(random.pick(known.registered)))
    return { sender: random.chance(0.7) ? by(random, who) : random.pick(registrars), payload: { did: who.did } }
  }],
  [3, 'did.completeRecovery', (known, _, random) => {
    const asked = known.registered.filter(({ did }) => known.requested.has(did))
    return asked.length === 0 ? undefined : { sender: by(random, random.pick(asked)), payload: {} }
  }],
  [0.3, 'did.deactivate', (known, _, random) => {
    const who = random.pick(known.registered.filter((each) => newcomers.includes(each)).concat(random.pick(residents.slice(6))))
    return { sender: random.chance(0.5) ? withKey(who, safeOf(who)) : by(random, who), payload: {} }
  }],
  [1.5, 'credential.registerIssuer', (_, __, random) => ({ sender: random.chance(0.9) ? random.pick(issuers) : random.pick(residents), payload: { scope: random.pick(['*', 'pottery']), name: '동주민센터' } })],
  [2, 'credential.registerSchema', (_, __, random) => ({ sender: random.pick(issuers), payload: { schema: random.pick(['card', 'member']), version: 1 + random.below(8), hash: sha256(utf8('schema')), url: 'https://busan.example/schema' } })],
  [4, 'credential.anchor', (_, __, random) => ({ sender: random.pick(issuers), payload: { hashes: Array.from({ length: 1 + random.below(4) }, () => sha256(utf8(`anchor ${random.below(100_000)}`))) } })],
  [4, 'credential.setStatus', (_, __, random) => ({
    sender: random.pick(issuers),
    payload: { list: random.pick(['a', 'b', 'c']), purpose: random.pick(['revocation', 'suspension']), indexes: [...new Set(Array.from({ length: random.below(5) }, () => random.below(20_000)))].sort((a, b) => a - b), status: random.chance(0.7) },
  })],
  [10, 'community.post', (known, _, random) => ({ sender: by(random, random.pick(known.registered)), payload: { livingArea: 'city', board: random.chance(0.95) ? random.pick(boards).board : 'none', ...text(random) } })],
  [3, 'community.news', (_, __, random) => ({ sender: random.chance(0.9) ? random.pick([editor, ...moderators]) : random.pick(residents), payload: { livingArea: 'city', board: random.chance(0.9) ? 'news' : 'talk', title: '소식', ...text(random) } })],
  [10, 'community.comment', (known, _, random) => {
    const post = somePost(known, random)
    return post && { sender: by(random, random.pick(known.registered)), payload: { parent: fromHex(post.id), ...text(random) } }
  }],
  [10, 'community.react', (known, _, random) => {
    const post = somePost(known, random)
    return post && { sender: by(random, random.pick(known.registered)), payload: { post: fromHex(post.id), reaction: random.chance(0.85) ? random.pick(reactionKinds) : undefined } }
  }],
  [4, 'community.hide', (known, _, random) => aboutPost(random, known, 'shown', 0.05, (post) => ({ post, reason }))],
  [3, 'community.restore', (known, _, random) => aboutPost(random, known, 'hidden', 0.05, (post) => ({ post, reason }))],
  [5, 'community.appeal', (known, _, random) => aboutPost(random, known, 'hidden', 0.95, (post) => ({ post, ground: 'quoted' }))],
  [4, 'community.decideAppeal', (known, _, random) => aboutPost(random, known, 'appealed', 0.02, (post) => ({ post, restore: random.chance(0.5), reason }))],
  [2, 'community.erase', (known, _, random) => aboutPost(random, known, 'shown', 0.6, (post) => ({ post, reason: random.chance(0.8) ? reason : undefined }))],
  [4, 'governance.propose', (known, city, random) => ({
    sender: random.chance(0.97) ? random.pick(allGovernors) : random.pick(residents),
    payload: { action: action(city, random, known), expiresMs: city.harness.next().timeMs + random.pick([3_600_000, dayMs, 5 * dayMs, 40 * dayMs]) },
  })],
  [2, 'governance.grantRole', (_, __, random) => ({ sender: random.chance(0.8) ? headModerator : random.pick([editor, ...issuers, ...allGovernors]), payload: { did: random.pick([...residents, ...newcomers.slice(0, 2)]).did, role: random.chance(0.85) ? 'moderator' : 'issuer', scope: random.pick(['busan', 'west']) } })],
  [1, 'governance.revokeRole', (_, __, random) => ({ sender: random.chance(0.8) ? headModerator : random.pick([editor, ...issuers, ...allGovernors]), payload: { did: random.pick([...residents, ...newcomers.slice(0, 2)]).did, role: random.chance(0.85) ? 'moderator' : 'issuer', scope: random.pick(['busan', 'west']) } })],
  [24, 'governance.vote', (known, city, random) => {
    const open = known.proposals.filter(({ expiresMs }) => expiresMs >= city.harness.next().timeMs || random.chance(0.02)).slice(-3)
    return open.length === 0 ? undefined : { sender: random.pick(allGovernors), payload: { proposal: random.pick(open).number, vote: random.chance(0.93) ? 'yes' : 'no' } }
  }],
]
