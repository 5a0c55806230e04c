// What can happen next to one correct replica, given what all have said so far. Messages are never lost for good and never used up: whatever has been said may
// arrive at any later time, or not at all. The liar may say anything that it can sign, made of whatever has been said by then.
// Votes come in quorums: a lone vote changes nothing that anybody sees until the last of its quorum arrives, so all of them may as well arrive with it.
import { refOf, type BlockRef } from '../../consensus/block.ts'
import type { Decision, SignatureEntry, SlotCertificate } from '../../consensus/certificate.ts'
import type { Input } from '../../consensus/input.ts'
import { newViewBytes, statusBytes, viewChangeBytes, withoutFoundation, type Message, type MessageOf, type NewViewContent, type StatusContent, type ViewChangeContent } from '../../consensus/messages.ts'
import { chooseChain } from '../../consensus/newview.ts'
import { isQuorum, quorumSize } from '../../consensus/quorum.ts'
import { acceptedAt } from '../../consensus/state.ts'
import { asVerified } from '../../consensus/verification.ts'
import { voteBytes, type VoteKind } from '../../consensus/votes.ts'
import type { Height, View } from '../../primitives/brand.ts'
import { equalBytes } from '../../primitives/bytes.ts'
import { nameOfMessage, type Local } from './local.ts'
import { chain, genesis, type Block, type ExploredWorld } from './world.ts'

export interface Move {
  /** What happens, in words; moves of one name do the same to one local state. */
  readonly name: string
  readonly inputs: () => readonly Input[]
}

/** All that has been said, sorted by what moves need to know. */
interface Said {
  /** By `view height block`: the correct validators that voted so. */
  readonly prepares: Map<string, Set<number>>
  readonly commits: Map<string, Set<number>>
  readonly proposals: Map<string, MessageOf<'pre-prepare'>>
  readonly viewChanges: MessageOf<'view-change'>[]
  readonly newViews: MessageOf<'new-view'>[]
}

const place = (view: number, height: number, name: string): string => `${view} ${height} ${name}`

function listen(world: ExploredWorld, locals: readonly Local[]): Said {
  const said: Said = { prepares: new Map(), commits: new Map(), proposals: new Map(), viewChanges: [], newViews: [] }
  const note = (votes: Map<string, Set<number>>, key: string, index: number): void => {
    votes.set(key, (votes.get(key) ?? new Set()).add(index))
  }
  for (const { index, sent } of locals) {
    for (const [name, message] of sent) {
      if (message.type === 'pre-prepare') said.proposals.set(name.slice(2), message)
      if (message.type === 'pre-prepare' || message.type === 'prepare') note(said.prepares, name.slice(2), index)
      else if (message.type === 'commit') note(said.commits, name.slice(2), index)
      else if (message.type === 'view-change') said.viewChanges.push(message)
      else if (message.type === 'new-view') {
        said.newViews.push(message)
        // The primary's signature for what it adopts is its vote.
        for (const { blockHash } of message.adopted) {
          const block = world.named(world.nameOf(blockHash))
          note(said.prepares, place(message.view, block.header.height, block.name), index)
        }
      }
    }
  }
  return said
}

interface Certified {
  readonly block: Block
  readonly certificate: SlotCertificate
}

/** What those who voted so can show, with the liar's own signature. */
function certificateOf(world: ExploredWorld, kind: 'prepare' | 'commit', key: string, correct: ReadonlySet<number>): Certified | undefined {
  return world.once(`certificate ${kind} ${key} ${[...correct].sort((a, b) => a - b).join(' ')}`, () => makeCertificate(world, kind, key, correct))
}

function makeCertificate(world: ExploredWorld, kind: 'prepare' | 'commit', key: string, correct: ReadonlySet<number>): Certified | undefined {
  const [view = '', , name = ''] = key.split(' ')
  const block = world.named(name)
  const signers = new Set(correct)
  if (world.bounds.liar !== undefined) signers.add(world.bounds.liar)
  if (!isQuorum(world.set, signers)) return undefined
  const inView = Number(view) as View
  const signatures: SignatureEntry[] = [...signers].sort((a, b) => a - b).map((validator) => {
    const of: VoteKind = kind === 'prepare' && validator === world.primary(inView) ? 'pre-prepare' : kind
    return { validator, signature: world.sign(validator, voteBytes(of, chain, inView, block.header.height, block.hash)) }
  })
  return { block, certificate: { view: inView, height: block.header.height, blockHash: block.hash, signatures } }
}

function certificates(world: ExploredWorld, kind: 'prepare' | 'commit', votes: ReadonlyMap<string, ReadonlySet<number>>): Certified[] {
  return [...votes].map(([key, correct]) => certificateOf(world, kind, key, correct)).filter((one) => one !== undefined)
}

const describe = ({ block, certificate }: Certified): string => `${block.name}@${certificate.view}`

/** Every ViewChange that the liar can make for a view: on any block that it can show to be final, with any chain of prepared blocks, shown or not. */
function liarsViewChanges(world: ExploredWorld, liar: number, view: number, said: Said): MessageOf<'view-change'>[] {
  const prepared = certificates(world, 'prepare', said.prepares).filter(({ certificate }) => certificate.view < view)
  const final = certificates(world, 'commit', said.commits).filter(({ certificate }) => certificate.view < view)
  return world.once(`view changes ${view} ${final.map(describe).join(' ')} / ${prepared.map(describe).join(' ')}`, () => makeViewChanges(world, liar, view, prepared, final))
}

/** Those of the final blocks that the base stands on, lowest first. */
function below(base: Decision, decisions: readonly Decision[]): Decision[] {
  const parent = decisions.find(({ certificate }) => equalBytes(certificate.blockHash, base.header.parent))
  return parent === undefined ? [] : [...below(parent, decisions), parent]
}

function makeViewChanges(world: ExploredWorld, liar: number, view: number, prepared: readonly Certified[], final: readonly Certified[]): MessageOf<'view-change'>[] {
  const decisions: readonly Decision[] = final.map(({ block, certificate }) => ({ header: block.header, certificate }))
  const out: MessageOf<'view-change'>[] = []
  const grow = (base: Decision | undefined, on: BlockRef, shown: readonly Certified[]): void => {
    const content: ViewChangeContent = {
      epoch: world.epoch.activation,
      view: view as View,
      validator: liar,
      prepared: shown.map(({ block, certificate }) => ({ header: block.header, certificate })),
      ...(base === undefined ? {} : { base }),
    }
    const foundation = base === undefined ? undefined : { decided: below(base, decisions) }
    const message: Message = { type: 'view-change', ...content, signature: world.sign(liar, viewChangeBytes(chain, content)), ...(foundation === undefined ? {} : { foundation }) }
    const verified = world.verified(message)
    if (verified !== undefined) out.push(verified)
    for (const one of prepared) if (equalBytes(one.block.header.parent, on.hash)) grow(base, refOf(one.block.header), [...shown, one])
  }
  for (const base of [undefined, ...decisions]) grow(base, base === undefined ? genesis : refOf(base.header), [])
  return out
}

function* subsets<T>(items: readonly T[]): Generator<T[]> {
  for (let mask = 0; mask < 2 ** items.length; mask++) yield items.filter((_, i) => (mask >> i) & 1)
}

/** Every set of ViewChanges for a view of correct validators, with or without one of the liar's. */
function* viewChangeSets(world: ExploredWorld, view: number, said: Said, from: readonly number[]): Generator<MessageOf<'view-change'>[]> {
  const { liar } = world.bounds
  const honest = said.viewChanges.filter((one) => one.view === view && from.includes(one.validator))
  const lies = liar === undefined ? [] : liarsViewChanges(world, liar, view, said)
  for (const some of subsets(honest)) for (const lie of [undefined, ...lies]) yield lie === undefined ? some : [...some, lie].sort((a, b) => a.validator - b.validator)
}

/** The new views that the liar can open as primary: one for each choice that it can justify, and wrong choices on top. */
function liarsNewViews(world: ExploredWorld, liar: number, view: number, said: Said): { readonly name: string; readonly message: MessageOf<'new-view'> }[] {
  const known = said.viewChanges.filter((one) => one.view === view).map((one) => `v${one.validator} ${nameOfMessage(world, one)}`)
  const lies = liarsViewChanges(world, liar, view, said).map((one) => nameOfMessage(world, one))
  return world.once(`new views ${known.join(' ')} / ${lies.join(' ')}`, () => makeNewViews(world, liar, view, said))
}

function makeNewViews(world: ExploredWorld, liar: number, view: number, said: Said): { readonly name: string; readonly message: MessageOf<'new-view'> }[] {
  const out = new Map<string, MessageOf<'new-view'>>()
  for (const viewChanges of viewChangeSets(world, view, said, world.correct)) {
    if (viewChanges.length === 0) continue
    const choice = chooseChain(viewChanges, genesis)
    for (const adopted of choice.adopted.length === 0 ? [choice.adopted] : [choice.adopted, choice.adopted.slice(0, -1), []]) {
      const blocks = adopted.map((header) => world.named(world.nameOf(refOf(header).hash)))
      const key = `${world.nameOf(choice.base.hash)} [${choice.adopted.map((header) => world.nameOf(refOf(header).hash)).join(' ')}] as [${blocks.map((block) => block.name).join(' ')}]`
      if (out.has(key)) continue
      const content: NewViewContent = {
        epoch: world.epoch.activation,
        view: view as View,
        viewChanges: viewChanges.map(withoutFoundation),
        adopted: blocks.map(({ header, hash }) => ({ blockHash: hash, signature: world.sign(liar, voteBytes('pre-prepare', chain, view as View, header.height, hash)) })),
      }
      const foundation = viewChanges.find(({ base }) => base === choice.decision)?.foundation
      const message: Message = { type: 'new-view', ...content, signature: world.sign(liar, newViewBytes(chain, content)), ...(foundation === undefined ? {} : { foundation }) }
      const verified = world.verified(message)
      if (verified !== undefined) out.set(key, verified)
    }
  }
  return [...out].map(([name, message]) => ({ name, message }))
}

const arrival = (message: Message): Input => ({ type: 'message', message: asVerified(message) })

function vote(world: ExploredWorld, kind: 'prepare' | 'commit', key: string, validator: number): Input {
  const [view = '', , name = ''] = key.split(' ')
  const { header, hash } = world.named(name)
  const inView = Number(view) as View
  return world.once(`${kind} ${key} ${validator}`, () => arrival({ type: kind, view: inView, height: header.height, blockHash: hash, validator, signature: world.sign(validator, voteBytes(kind, chain, inView, header.height, hash)) }))
}

/** Who of the others can have cast this vote. */
function votersOf(world: ExploredWorld, kind: 'prepare' | 'commit', key: string, said: ReadonlyMap<string, ReadonlySet<number>>, self: number): number[] {
  const { liar } = world.bounds
  const primary = world.primary(Number(key.split(' ')[0]))
  return [...(said.get(key) ?? []), ...(liar === undefined ? [] : [liar])].filter((validator) => validator !== self && !(kind === 'prepare' && validator === primary)).sort((a, b) => a - b)
}

/** All others ask for this view, from where this replica stands: it counts no wish from before what is final here. */
function wishes(world: ExploredWorld, self: number, view: number, committed: Height): Input[] {
  return world.set.validators.flatMap((_, validator) => {
    if (validator === self) return []
    const content: StatusContent = { epoch: world.epoch.activation, view: 0 as View, active: 1, wish: view as View, committed, checkpoint: 0 as Height, validator }
    return [arrival({ type: 'status', ...content, signature: world.sign(validator, statusBytes(chain, content)) })]
  })
}

/** What a lying primary may build on: the tip, any other block of that height, and what the tip itself stands on (a second proposal for its height). */
function parentsFor(world: ExploredWorld, { state }: Local, said: Said): BlockRef[] {
  const { tip } = state
  const names = new Set([...said.prepares.keys(), ...said.commits.keys()].map((key) => key.split(' ')[2] as string))
  const beside = [...names].map((name) => refOf(world.named(name).header)).filter((ref) => ref.height === tip.height && !equalBytes(ref.hash, tip.hash))
  const below = state.slots.get(tip.height)?.accepted
  return [...[tip, ...beside].filter((ref) => ref.height < world.bounds.heights), ...(below === undefined ? [] : [world.refOf(world.nameOf(below.header.parent))])]
}

function liarsProposal(world: ExploredWorld, liar: number, view: number, on: BlockRef, variant: string): Input {
  const { header, manifest, hash } = world.block(view, on, variant)
  const inView = view as View
  return arrival({ type: 'pre-prepare', view: inView, header, manifest, signature: world.sign(liar, voteBytes('pre-prepare', chain, inView, header.height, hash)) })
}

/** Everything that can happen to `local`; `others` are the other correct replicas. */
export function movesOf(world: ExploredWorld, local: Local, others: readonly Local[]): Move[] {
  const { state, index } = local
  const { heights, views, liar } = world.bounds
  const said = listen(world, [local, ...others])
  const moves: Move[] = []
  const push = (name: string, inputs: () => readonly Input[]): void => {
    moves.push({ name: `v${index}: ${name}`, inputs })
  }
  const pushVotes = (what: string, kind: 'prepare' | 'commit', keys: readonly string[], all: ReadonlyMap<string, ReadonlySet<number>>): void => {
    const voters = keys.map((key) => votersOf(world, kind, key, all, index))
    if (voters.some((some) => some.length > 0)) push(`${what}: ${keys.map((key, i) => `${key} by ${voters[i]?.map((one) => `v${one}`).join(' ')}`).join(', ')}`, () => keys.flatMap((key, i) => voters[i]?.map((one) => vote(world, kind, key, one)) ?? []))
  }
  const view = state.view as number
  const isNormal = state.mode === 'normal'

  if (isNormal && world.primary(view) !== index) {
    if (world.primary(view) === liar) {
      for (const on of parentsFor(world, local, said)) for (const variant of ['a', 'b']) push(`proposal ${world.block(view, on, variant).name} in view ${view}`, () => [liarsProposal(world, liar, view, on, variant)])
    } else for (const [key, message] of said.proposals) if (message.view === view && equalBytes(message.header.parent, state.tip.hash)) push(`proposal ${key}`, () => [arrival(message)])
  }

  for (let height = state.committed.height + 1; height <= heights; height++) {
    const accepted = isNormal ? acceptedAt(state, height as Height) : undefined
    const at = (all: ReadonlyMap<string, unknown>): string[] => [...all.keys()].filter((key) => Number(key.split(' ')[1]) === height)
    if (accepted !== undefined) {
      const key = place(view, height, world.nameOf(accepted.hash))
      pushVotes('prepares', 'prepare', [key], said.prepares)
      const rest = at(said.prepares).filter((one) => one !== key)
      if (rest.length > 0) pushVotes('all prepares', 'prepare', [...rest, key], said.prepares)
    }
    const committed = at(said.commits)
    for (const key of committed) pushVotes('commits', 'commit', [key], said.commits)
    if (committed.length > 1) for (const order of [committed, committed.toReversed()]) pushVotes('all commits', 'commit', order, said.commits)
  }
  for (const { block, certificate } of certificates(world, 'commit', said.commits)) {
    if (block.header.height === state.committed.height + 1) push(`fetches ${block.name}, final in view ${certificate.view}`, () => [{ type: 'synced', decision: asVerified({ header: block.header, certificate }) }])
  }

  for (let next = view + 1; next < views; next++) push(`all wish for view ${next}`, () => wishes(world, index, next, state.committed.height))

  for (let of = Math.max(1, view); of < views; of++) {
    if (of === view && isNormal) continue
    if (world.primary(of) === liar) for (const { name, message } of liarsNewViews(world, liar, of, said)) push(`new view ${of} ${name}`, () => [arrival(message)])
    else for (const message of said.newViews) if (message.view === of) push(`new view ${nameOfMessage(world, message)}`, () => [arrival(message)])
  }

  if (!isNormal && world.primary(view) === index && state.ownViewChange !== undefined) {
    for (const changes of viewChangeSets(world, view, said, world.correct.filter((one) => one !== index))) {
      if (changes.length === quorumSize(world.set.validators.length) - 1) push(`view changes ${changes.map((one) => `v${one.validator} ${nameOfMessage(world, one)}`).join(', ')}`, () => changes.map((one) => arrival(one)))
    }
  }
  return moves
}
