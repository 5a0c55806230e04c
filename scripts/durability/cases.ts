// Seeded cases of damage, one after the other in one folder, and their table of kind and outcome.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type Genesis, readGenesis } from '../../genesis/genesis.ts'
import { loadConfig } from '../../node/config.ts'
import { silentLog } from '../../node/log.ts'
import { startNode } from '../../node/node.ts'
import { createClient } from '../../rpc/client/index.ts'
import { type DevnetNode, openNetwork } from '../devnet/network.ts'
import { type Case, damage, type Kind, kinds, restore } from './damage.ts'
import { generationsOf, type Material } from './material.ts'
import { createRandom } from './random.ts'
import { judgeData, type Outcome, outcomes, readTwin, refusal, type Twin, type Verdict } from './verdict.ts'

export interface Judged extends Case, Verdict {}

export interface CasesOptions {
  readonly folder: string
  readonly count: number
  readonly seed: number
  /** Only this one; for a replay. */
  readonly only?: number
  /** As a real node among three undamaged ones: seconds a case. */
  readonly amongPeers?: boolean
  readonly onCase: (judged: Judged) => void
}

/** Read once at the start of a node, so these cases start a node. */
const fronts: readonly Kind[] = ['keystore', 'genesis', 'config', 'passphrase']
const endedFromOutsideMax = 3

/** The material must be in the folder. */
export async function runCases({ folder, count, seed, only, amongPeers = false, onCase }: CasesOptions): Promise<readonly Judged[]> {
  const judged: Judged[] = []
  const last = only ?? count
  let endedFromOutside = 0
  const take = (one: Judged): void => {
    judged.push(one)
    onCase(one)
  }
  for (let next = only ?? 1; next <= last; ) {
    let begun: Case | undefined
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'case-worker.ts'), folder, String(seed), String(next), String(last), ...(amongPeers ? ['peers'] : [])], { stdio: ['ignore', 'pipe', 'pipe'] })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    const ended = new Promise<string>((resolve) => child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`)))
    for await (const line of createInterface(child.stdout)) {
      const said = JSON.parse(line) as { readonly begun?: Case; readonly judged?: Judged }
      if (said.begun !== undefined) begun = said.begun
      if (said.judged === undefined) continue
      begun = undefined
      next = said.judged.number + 1
      take(said.judged)
    }
    const how = await ended
    if (begun === undefined && next <= last) throw new Error(`the process of the cases ended (${how}): ${complaint}`)
    if (begun === undefined) continue
    // someone ended it from outside: that says nothing of the case, which is done again
    if (how === 'SIGTERM' || how === 'SIGINT' || how === 'SIGKILL') {
      if (++endedFromOutside > endedFromOutsideMax) throw new Error(`the process of the cases was ended from outside (${how}) in case ${begun.number}`)
      next = begun.number
      continue
    }
    const why = complaint.split('\n').find((line) => line !== '') ?? how
    take({ ...begun, outcome: 'refused on read', why: `the process was ended by ${how}`, sentence: why, fault: 'ends the process' })
    next = begun.number + 1
  }
  return judged
}

/** Of a folder in which makeMaterial has been. */
export async function readMaterial(folder: string): Promise<Material> {
  const network = await openNetwork({ validators: 4, observers: 0, data: path.join(folder, 'net'), basePort: 0, fresh: false, demo: false, exit: true, given: new Set() }, () => {})
  return { network, victim: network.nodes[0] as DevnetNode, other: network.nodes[1] as DevnetNode, generations: generationsOf(folder) }
}

export interface Ground {
  readonly twin: Twin
  readonly answers: Answers
  readonly dataDir: string
}

export async function prepare(material: Material): Promise<Ground> {
  restore(material)
  const genesis = readGenesis(readFileSync(path.join(material.network.folder, 'genesis.json'), 'utf8'))
  const dataDir = path.join(material.victim.folder, 'data')
  const twin = await readTwin(dataDir, genesis, victimKey(genesis, material))
  return { twin, dataDir, answers: await startAndRead(material) }
}

function victimKey({ validators }: Genesis, { victim }: Material): Uint8Array {
  const found = validators.find(({ name }) => name === victim.name)
  if (found === undefined) throw new Error(`${victim.name} is no validator`)
  return found.publicKey
}

/** Each case can be run alone: its draws depend on its number and the seed only. */
export function judgeCase(material: Material, { twin, answers, dataDir }: Ground, seed: number, number: number): { readonly made: Case; readonly judge: () => Promise<Judged> } {
  restore(material)
  const made = damage(material, number, createRandom(seed * 1_000_003 + number))
  return { made, judge: async () => ({ ...made, ...(fronts.includes(made.kind) ? await judgeFront(material, answers, twin) : await judgeData(dataDir, twin)) }) }
}

interface Answers {
  readonly head: number
  readonly answers: string
  readonly recovering: boolean
}

/** All that a node answers of its chain over RPC, and what it says of its votes. */
async function startAndRead({ victim }: Material): Promise<Answers> {
  const node = await startNode(loadConfig({ file: victim.config }), silentLog)
  try {
    const client = createClient({ url: node.url })
    const { height } = await client.call('chain_head', {})
    const { problems } = await client.call('node_status', {})
    const said: unknown[] = []
    for (let at = 1; at <= height; at++) said.push(await client.call('chain_getBlock', { height: at, transactions: 'full' }))
    return { head: height, answers: JSON.stringify(said), recovering: problems.some((problem) => problem.includes('no record of its votes')) }
  } finally {
    await node.stop()
  }
}

async function judgeFront(material: Material, answers: Answers, twin: Twin): Promise<Verdict> {
  try {
    const found = await startAndRead(material)
    if (found.answers === answers.answers && !found.recovering) return { outcome: 'harmless', why: 'everything is answered as before' }
    if (found.head === 0 && found.recovering) return { outcome: 'repaired', why: 'begins in another folder: follows first, then votes' }
    return { outcome: 'SERVED SILENTLY', why: `other answers, at head ${found.head} of ${twin.head}` }
  } catch (error) {
    return refusal('refused at start', error, material.network.folder)
  }
}

export function tableOf(judged: readonly Judged[]): string {
  const rows = kinds.map((kind) => {
    const of = judged.filter((one) => one.kind === kind)
    return [kind, ...outcomes.map((outcome) => String(countOf(of, outcome))), String(of.length)]
  })
  rows.push(['all', ...outcomes.map((outcome) => String(countOf(judged, outcome))), String(judged.length)])
  const header = ['damaged', ...outcomes, 'cases']
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)))
  return [header, ...rows].map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  ')).join('\n')
}

export function countOf(judged: readonly Judged[], outcome: Outcome): number {
  return judged.filter((one) => one.outcome === outcome).length
}

export function lineOf({ number, kind, deed, file, what, outcome, why, fault }: Judged): string {
  return `case ${number}  ${kind} ${deed}: ${file}, ${what} → ${outcome}: ${why}${fault === undefined ? '' : `  [${fault}]`}`
}

/** What a case must not end in: data served that is not the chain's, the process ended by LevelDB, an error that is none of ours. */
export function isFailure({ outcome, fault }: Judged): boolean {
  return outcome === 'SERVED SILENTLY' || fault === 'ends the process' || fault === 'not a DongbaekError'
}
