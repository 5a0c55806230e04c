// What the processes used, from /proc and their own counters. Linux only, as is the rest of what is measured here.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { keyPairFromSeed, sign, verify } from '../../primitives/ed25519.ts'
import { createClient } from '../../rpc/client/index.ts'
import type { DevnetNode } from '../devnet/network.ts'

/** USER_HZ: what /proc counts in, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100
const pageBytes = 4_096
const sampleMs = 500

export interface Reading {
  readonly height: number
  readonly view: number
  readonly cpuSeconds: number
  /** By the name of the thread, over all validators. */
  readonly threadSeconds: ReadonlyMap<string, number>
  /** Of all data folders together. */
  readonly storeBytes: number
  readonly votesBytes: number
  /** Sent by all validators to each other. */
  readonly networkBytes: number
}

export interface Watched {
  readonly node: DevnetNode
  readonly pid: number
}

export async function read(watched: readonly Watched[]): Promise<Reading> {
  const threadSeconds = new Map<string, number>()
  let cpuSeconds = 0
  for (const { pid } of watched) {
    cpuSeconds += secondsOf(`/proc/${pid}`)
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`
      const name = readFileSync(`${folder}/comm`, 'utf8').trim()
      const key = Number(thread) === pid ? 'main' : name
      threadSeconds.set(key, (threadSeconds.get(key) ?? 0) + secondsOf(folder))
    }
  }
  const clients = watched.map(({ node }) => createClient({ url: node.rpc }))
  const peers = await Promise.all(clients.map(async (client) => client.call('node_peers', {})))
  const statuses = await Promise.all(clients.map(async (client) => client.call('node_status', {})))
  const bytesIn = (part: string): number => watched.reduce((sum, { node }) => sum + folderBytes(path.join(node.folder, 'data', part)), 0)
  return {
    height: Math.max(...statuses.map(({ head }) => head.height)),
    view: Math.max(...statuses.map(({ view }) => view)),
    cpuSeconds,
    threadSeconds,
    storeBytes: bytesIn('store'),
    votesBytes: bytesIn('votes'),
    networkBytes: peers.flatMap(({ items }) => items).reduce((sum, { bytesOut }) => sum + bytesOut, 0),
  }
}

/** User and system time of `/proc/<pid>`, or of one thread of it. Fields 14 and 15; the name before them may hold spaces. */
export function secondsOf(folder: string): number {
  const fields = readFileSync(`${folder}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Resident sets in MiB, of whichever process had the largest at the time. */
export interface Memory {
  readonly max: number
  /** The largest in each fifth of the time: what grows without end is larger in each. */
  readonly fifths: readonly number[]
}

export function watchMemory(watched: readonly Watched[]): { readonly stop: () => Memory } {
  const samples: number[] = []
  const look = (): void => {
    // a run that failed has ended its processes before it says so
    const pages = watched.map(({ pid }) => (existsSync(`/proc/${pid}/statm`) ? Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) : 0))
    samples.push((Math.max(...pages) * pageBytes) / 1_048_576)
  }
  look()
  const timer = setInterval(look, sampleMs)
  return {
    stop: () => {
      look()
      clearInterval(timer)
      const largest = (from: number, to: number): number => samples.slice(from, to).reduce((max, one) => Math.max(max, one), 0)
      const at = (fifth: number): number => Math.floor((samples.length * fifth) / 5)
      return { max: largest(0, samples.length), fifths: [0, 1, 2, 3, 4].map((fifth) => largest(at(fifth), Math.max(at(fifth) + 1, at(fifth + 1)))) }
    },
  }
}

/** What the nodes warned of, by kind, with how often. */
export function warnings(nodes: readonly DevnetNode[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { log } of nodes)
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      const [, kind] = line.startsWith('{') ? (/"event":"([^"]+)"/.exec(line) ?? []) : []
      if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
  return counts
}

function folderBytes(folder: string): number {
  let sum = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // a file may go while we look: LevelDB compacts
    if (entry.isFile()) sum += statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return sum
}

/**
 * Seconds of one verification here and now, of a message of 200 bytes, by the library that the nodes use. In CPU time, so that neighbours on the
 * machine do not make the floor lower than it is; the best of several rounds.
 */
export function measureVerification(): number {
  const pair = keyPairFromSeed(new Uint8Array(32).fill(1))
  const message = new Uint8Array(200)
  const signature = sign(message, pair)
  const perRound = 1_000
  const round = (): number => {
    const { user, system } = process.threadCpuUsage()
    for (let i = 0; i < perRound; i++) verify(signature, message, pair.publicKey)
    const after = process.threadCpuUsage()
    return (after.user + after.system - user - system) / 1e6 / perRound
  }
  round()
  return Math.min(...Array.from({ length: 9 }, round))
}

/** Transactions a second if verifying one signature of each at every validator were all there is to do. */
export function verifyFloor(validators: number, verifySeconds: number): number {
  return availableParallelism() / (validators * verifySeconds)
}
