// Deliberate bugs. Each is one change to the protocol's source, in a copy of it; the simulator must turn red. scripts/mutants.ts runs them.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BehaviourName } from './adversary.ts'
import type { NodeFaultKind } from './nodes/faults.ts'
import type { NodeBehaviour } from './nodes/liar.ts'

export interface Mutant {
  readonly name: string
  /** In consensus/; from the root when it is hunted among whole nodes. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Networks it is hunted in, in order; 4 validators when absent. */
  readonly validators?: readonly number[]
  /** What to hunt it with, when only a certain kind of liar can make it show. */
  readonly liars?: readonly BehaviourName[]
  /** Hunted among whole nodes, with these faults and liars alone. */
  readonly nodes?: { readonly faults: readonly NodeFaultKind[]; readonly liars?: readonly NodeBehaviour[] }
}

export function pathOf({ file, nodes }: Mutant): string {
  return nodes === undefined ? join('consensus', file) : file
}

export const mutants: readonly Mutant[] = [
  { name: 'quorum of one less', file: 'quorum.ts', find: 'return Math.ceil((n + faultsTolerated(n) + 1) / 2)', replace: 'return Math.ceil((n + faultsTolerated(n) + 1) / 2) - 1' },
  { name: 'organisation minimums ignored', file: 'quorum.ts', find: 'return signers.size >= quorumSize(set.validators.length) && minimumsMet(set, signers)', replace: 'return signers.size >= quorumSize(set.validators.length)' },
  { name: 'prepared although the parent is not', file: 'safety.ts', find: 'accepted !== undefined && slot.height > state.anchor.height && isSettled(state, (slot.height - 1) as Height) && payloadIsValid', replace: 'accepted !== undefined && slot.height > state.anchor.height && payloadIsValid' },
  { name: 'prepare and prepared without the parent', file: 'safety.ts', find: 'if (height <= state.committed.height || height <= state.viewBase.height) return true', replace: 'return true' },
  { name: 'commit without being prepared', file: 'safety.ts', find: 'slot.height > state.anchor.height && isSettled(state, slot.height) && payloadIsValid', replace: 'slot.height > state.anchor.height && payloadIsValid' },
  { name: 'lowest instead of highest certificate in the new view', file: 'newview.ts', find: 'if (a.view !== b.view) return a.view > b.view', replace: 'if (a.view !== b.view) return a.view < b.view' },
  { name: 'one pass instead of repetition in the new view', file: 'newview.ts', find: '    head = refOf(best.candidate.header)\n', replace: '    return { base, decision, adopted }\n' },
  { name: 'new view adopts nothing', file: 'newview.ts', find: 'if (best === undefined) return', replace: 'if (best === undefined || best !== undefined) return' },
  { name: 'lowest base in the new view', file: 'newview.ts', find: 'base.header.height > decision.header.height', replace: 'base.header.height < decision.header.height' },
  { name: 'wrong new view is followed', file: 'viewchange.ts', find: '  if (!isSameChoice(message, choice)) {', replace: '  if (message.adopted.length > choice.adopted.length) {' },
  { name: 'prepare votes not persisted', file: 'normal.ts', find: "    state.effects.persist.push({ type: 'prepared', view: state.view, header: accepted.header, proposal: accepted.signature })\n", replace: '', liars: ['equivocator'] },
  { name: 'first votes are given again after a crash', file: 'safety.ts', find: 'unrecorded.view !== state.view || height > unrecorded.height', replace: 'unrecorded.view !== state.view || height > 0' },
  { name: 'an allowance trails the votes that it allows', file: 'record.ts', find: "return type === 'committed' ||", replace: "return type === 'committed' || type === 'allowance' ||" },
  { name: 'a stop forgets the allowance of the life before', file: 'restore.ts', find: 'height: stillBinds ? unrecorded.height : (0 as Height)', replace: 'height: 0 as Height' },
  { name: 'an allowance shrinks', file: 'state.ts', find: '  if (upTo <= state.allowance) return\n', replace: '' },
  { name: 'nothing waits for the disk', file: 'output.ts', find: 'return persist.some((one) => !mayTrail(one)) || send.some(({ message }) => bindsToDisk(message))', replace: 'return [persist, send].length === 0' },
  { name: 'prepared without the payload', file: 'safety.ts', find: "state.mode === 'normal' && accepted !== undefined && slot.height > state.anchor.height && isSettled(state, (slot.height - 1) as Height) && payloadIsValid(state, accepted.hash)", replace: "state.mode === 'normal' && accepted !== undefined && slot.height > state.anchor.height && isSettled(state, (slot.height - 1) as Height)" },
  { name: 'certificates not persisted', file: 'normal.ts', find: "    state.effects.persist.push({ ...block, type: 'certificate' })\n", replace: '' },
  { name: 'proposals not persisted', file: 'propose.ts', find: "  state.effects.persist.push({ type: 'proposed', view, header })\n", replace: '' },
  { name: 'view change not persisted', file: 'viewchange.ts', find: "  state.effects.persist.push({ ...own, type: 'viewChange' })\n", replace: '' },
  { name: 'new view not persisted', file: 'viewchange.ts', find: "  state.effects.persist.push({ ...message, type: 'newView' })\n", replace: '' },
  { name: 'votes go on after the view change', file: 'safety.ts', find: "&& state.mode === 'normal'\n}\n\n/** S2", replace: '\n}\n\n/** S2' },
  { name: 'view change forgets what is prepared', file: 'viewchange.ts', find: 'prepared: preparedAboveAnchor(state),', replace: 'prepared: [],' },
  { name: 'view change shows the lowest prepared slot only', file: 'viewchange.ts', find: '    out.push(prepared)\n', replace: '    out.push(prepared)\n    return out\n' },
  { name: 'accepts a block on any parent', file: 'safety.ts', find: '    equalBytes(header.parent, state.tip.hash) &&\n', replace: '' },
  { name: 'a second proposal in a view takes the place of the first', file: 'normal.ts', find: "    if (isCurrent && view === state.view) distrustPrimary(state, 'contradiction')\n    return", replace: '    if (slot.accepted?.view === view) slot.accepted = { view, header, hash, signature: message.signature, manifest: message.manifest }\n    return', liars: ['equivocator'] },
  { name: 'commits of different views counted together', file: 'tally.ts', find: '`${view} ${toHex(hash)}`', replace: '`${toHex(hash)}`' },
  { name: 'prepares of other blocks counted', file: 'normal.ts', find: 'vote.validator !== primary && equalBytes(vote.blockHash, accepted.hash)', replace: 'vote.validator !== primary' },
  { name: 'prepares of other views counted', file: 'normal.ts', find: 'vote.view === state.view && vote.validator !== primary &&', replace: 'vote.validator !== primary &&' },
  { name: 'f + 1 wishes not joined', file: 'wish.ts', find: "  raiseWish(state, joined, 'others')", replace: '  void (joined)' },
  { name: 'leaves its view alone', file: 'wish.ts', find: 'if (!isQuorum(state.epoch.set, asking)) continue', replace: '' },
  { name: 'no repetition', file: 'status.ts', find: '    return\n  }\n  repeat(state)\n', replace: '  }\n' },
  { name: 'the late get no new view', file: 'status.ts', find: 'if (sameEpoch && state.newView !== undefined', replace: 'if (sameEpoch && state.newView === undefined && state.newView !== undefined' },
  { name: 'checkpoint certificate taken ahead of execution', file: 'checkpoint.ts', find: '  if (content.height > state.executed) {', replace: '  if (content.height < 0) {', liars: ['wrong-root'] },
  { name: 'checkpoints of different roots counted together', file: 'checkpoint.ts', find: 'equalBytes(a.stateRoot, b.stateRoot) &&', replace: '', liars: ['wrong-root'] },
  { name: 'views of the last epoch carried over', file: 'viewchange.ts', find: '  state.view = 0 as View\n', replace: '' },
  { name: 'proposes beyond the epoch', file: 'propose.ts', find: ' && epochAt(state.schedule, next) === state.epoch', replace: '' },
  { name: 'anchor not kept over a restart', file: 'anchor.ts', find: "  state.effects.persist.push({ ...decision, type: 'anchor', foundation })\n", replace: '' },
  { name: 'compaction keeps the oldest certificate', file: 'restore.ts', find: '    last.delete(key)\n    last.set(key, one)', replace: '    if (!last.has(key)) last.set(key, one)' },
  { name: 'timer never doubled', file: 'timer.ts', find: 'base * 2 ** Math.min(state.failures, 30)', replace: 'base' },
  { name: 'one wish is joined instead of f + 1', file: 'wish.ts', find: 'weakQuorumSize(state.epoch.set.validators.length) - 1', replace: '0 * weakQuorumSize(1)', liars: ['impatient'] },
  { name: 'the view timer stays off after it expired once', file: 'timer.ts', find: '!state.overdue && ', replace: 'state.failures === 0 && ', validators: [7], liars: ['silent'] },
  { name: 'signatures of prepared certificates not checked', file: 'verification.ts', find: '    checks.push(...preparedChecks(certificate, epoch.set, chain))\n', replace: '    void preparedChecks\n', liars: ['forger'] },
  { name: 'prepared certificates need no quorum', file: 'verification.ts', find: "    if (!certifies(block, epoch.set)) return malformed('prepared certificate is not for this block by a quorum')\n", replace: '', liars: ['forger'] },
  { name: 'a new view needs no quorum', file: 'verification.ts', find: "  if (!isQuorum(epoch.set, signers)) return malformed('view changes form no quorum')\n", replace: '  void isQuorum\n', liars: ['forger'] },
  { name: 'certificates checked by the latest set', file: 'verification.ts', find: '  const set = setAt(schedule, one.header.height)\n', replace: '  const set = schedule.epochs[schedule.epochs.length - 1]?.set\n' },
  { name: 'watermarks ignored', file: 'safety.ts', find: '    header.height <= highWatermark(state) &&\n', replace: '', liars: ['racer'] },
  { name: 'checkpoint votes of any content make a certificate', file: 'checkpoint.ts', find: 'filter((vote) => sameContent(vote.content, content))', replace: 'filter(() => true)' },
  { name: 'inclusion suspicion ignored', file: 'replica.ts', find: "      distrustPrimary(state, 'suspicion')\n", replace: '      void distrustPrimary\n', liars: ['censor'] },
  { name: 'a suspicion ends with the next block', file: 'commit.ts', find: 'state.distrusts ? state.view + 1 : state.view', replace: 'state.view', liars: ['censor'] },
  { name: 'voting below a view proven by a commit', file: 'commit.ts', find: '  if (certificate.view > state.view) awaitView(state, certificate.view)\n', replace: '' },
  { name: 'nodes: left-out transactions are nobody’s fault', file: 'node/house.ts', find: "    context.suspect('a transaction", replace: "    void ('a transaction", nodes: { faults: ['byzantine', 'loss', 'crash'], liars: ['censor'] } },
  { name: 'nodes: a full block excuses leaving out', file: 'node/house.ts', find: 'hasRoom ? clock.monotonic() : latestArrivalMs', replace: 'hasRoom ? clock.monotonic() : Math.min(latestArrivalMs, openMs)', nodes: { faults: ['byzantine', 'loss', 'crash'], liars: ['censor'] } },
  { name: 'nodes: of what a new view shows to be final only the last block is taken', file: 'consensus/anchor.ts', find: 'of [...foundation.decided, decision]) if', replace: 'of [decision]) if', nodes: { faults: ['hoard', 'loss', 'crash'] } },
  { name: 'nodes: an outdated vote log is believed', file: 'node/assembly.ts', find: '? whyVotesMissing(database, votes.position()) : undefined', replace: '? (void whyVotesMissing, undefined) : undefined', nodes: { faults: ['old-votes', 'crash', 'loss'] } },
  { name: 'nodes: the first set’s members vote for ever', file: 'consensus/validators.ts', find: '  return epochAt(schedule, height)?.set\n', replace: '  return epochAt(schedule, height) === undefined ? undefined : schedule.epochs[0]?.set\n', nodes: { faults: ['sets', 'crash', 'partition', 'loss'] } },
]

export interface Hunt {
  readonly mutant: Mutant
  /** Seeds until it was caught; undefined when it was not. */
  readonly seeds: number | undefined
  readonly validators: number
  /** Whether anything noticed it: seeds, or else a test of test/consensus/. */
  readonly isCaught: boolean
  /** What noticed it. */
  readonly how: string
}

const root = join(import.meta.dirname, '../..')
const runner = `
import { simulate } from './test/simulator/simulate.ts'
const [validators, first, seeds] = process.argv.slice(2, 5).map(Number)
const liars = process.argv.slice(5)
for (let seed = first; seed < first + seeds; seed++) {
  console.log(seed - first + 1)
  const { violation, stalled } = simulate({ seed, validators, ...(liars.length === 0 ? {} : { liars }) })
  if (violation === undefined && stalled === undefined) continue
  console.log(JSON.stringify({ seeds: seed - first + 1, how: (violation ?? 'stalled: ' + stalled).split('\\n')[0] }))
  process.exit(1)
}
`

const nodesRunner = `
import { simulateNodes } from './test/simulator/nodes/simulate.ts'
const [validators, first, seeds] = process.argv.slice(2, 5).map(Number)
const nodes = JSON.parse(process.argv[5])
for (let seed = first; seed < first + seeds; seed++) {
  console.log(seed - first + 1)
  const { violation, stalled } = await simulateNodes({ seed, validators, ...nodes })
  if (violation === undefined && stalled === undefined) continue
  console.log(JSON.stringify({ seeds: seed - first + 1, how: (violation ?? 'stalled: ' + stalled).split('\\n')[0] }))
  process.exit(1)
}
`

/** Runs to its own end; a process that was ended from outside says nothing about the mutant, and is run again. */
function run(folder: string, args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  for (let left = 3; ; left--) {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--max-old-space-size=600', ...args], { cwd: folder, encoding: 'utf8', env: { ...process.env, TAP_TIMEOUT: '600' } })
    if (signal !== 'SIGTERM' && signal !== 'SIGKILL') return { status, stdout, stderr }
    if (left === 0) throw new Error(`${args[0]} was ended from outside by ${signal}, again and again`)
  }
}

const unitTests = ['allowance.test.ts', 'quorum.test.ts', 'choice.test.ts', 'messages.test.ts', 'replica.test.ts', 'restart.test.ts']

/** Runs `use` on a copy of the sources with this one bug in it. */
export function inBrokenCopy<T>(mutant: Mutant, use: (folder: string, run: (args: readonly string[]) => { readonly status: number | null; readonly stdout: string; readonly stderr: string }) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'dongbaek-mutant-'))
  try {
    for (const part of ['primitives', 'consensus', 'test/simulator', 'test/consensus', 'test/explorer', 'package.json', ...(mutant.nodes === undefined ? [] : ['state', 'genesis', 'rpc', 'node', 'test/support'])]) cpSync(join(root, part), join(folder, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const path = join(folder, pathOf(mutant))
    const source = readFileSync(path, 'utf8')
    if (!source.includes(mutant.find)) throw new Error(`the mutant "${mutant.name}" does not fit ${pathOf(mutant)} any more`)
    writeFileSync(path, source.replaceAll(mutant.find, () => mutant.replace))
    return use(folder, (args) => run(folder, args))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Breaks a copy of the sources and runs seeds until one notices; when none does, the tests of single replicas. */
export function hunt(mutant: Mutant, seeds: number, first = 1): Hunt {
  return inBrokenCopy(mutant, (folder, run) => {
    writeFileSync(join(folder, 'seeds.ts'), mutant.nodes === undefined ? runner : nodesRunner)
    const networks = mutant.validators ?? [4]
    for (const validators of networks) {
      const { status, stdout, stderr } = run(['seeds.ts', String(validators), String(first), String(seeds), ...(mutant.nodes === undefined ? (mutant.liars ?? []) : [JSON.stringify(mutant.nodes)])])
      if (status === 0) continue
      const last = stdout.trimEnd().split('\n').at(-1) ?? ''
      if (last.startsWith('{')) return { mutant, validators, isCaught: true, ...(JSON.parse(last) as { seeds: number; how: string }) }
      if (last === '') throw new Error(`the mutant "${mutant.name}" does not run:\n${stderr}`)
      return { mutant, validators, isCaught: true, seeds: Number(last), how: stderr.split('\n').find((line) => line.includes('rror')) ?? 'the process crashed' }
    }
    const validators = networks[networks.length - 1] ?? 4
    for (const file of mutant.nodes === undefined ? unitTests : []) {
      if (run([join('test/consensus', file)]).status !== 0) return { mutant, seeds: undefined, validators, isCaught: true, how: `test/consensus/${file} fails` }
    }
    return { mutant, seeds: undefined, validators, isCaught: false, how: '' }
  })
}
