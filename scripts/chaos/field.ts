// The network under attack: validators and an observer as processes of their own, connected through our links. What is done to it, and what it says.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { faultsTolerated, quorumSize } from '../../consensus/quorum.ts'
import { type Client, createClient, type ResultJson } from '../../rpc/client/index.ts'
import { type DevnetNode, type Network, openNetwork } from '../devnet/network.ts'
import { freeBasePort } from '../devnet/ports.ts'
import { createProcesses, tail } from '../devnet/processes.ts'
import type { Random } from '../durability/random.ts'
import { createLinks, type Links } from './links.ts'

const askMs = 2_000
const tickMs = 50
/** A process that was killed is gone within this. */
const goneMs = 10_000

export type Status = ResultJson<'node_status'>

export interface Site {
  readonly node: DevnetNode
  readonly name: string
  readonly data: string
  readonly client: Client
}

export interface Field {
  readonly network: Network
  readonly links: Links
  readonly sites: readonly Site[]
  readonly validators: readonly Site[]
  /** How many validators may be impaired. */
  readonly tolerated: number
  /** How many make a quorum. */
  readonly quorum: number
  readonly start: (...sites: readonly Site[]) => void
  /** kill -9, and waits until they are gone. */
  readonly kill: (...sites: readonly Site[]) => Promise<void>
  /** Asks them to stop in order, and waits. */
  readonly stop: (...sites: readonly Site[]) => Promise<void>
  readonly pause: (...sites: readonly Site[]) => void
  readonly resume: (...sites: readonly Site[]) => void
  readonly isRunning: (site: Site) => boolean
  /** From now on it may end by itself. */
  readonly mayEnd: (site: Site) => void
  readonly mustRun: (site: Site) => void
  readonly primary: () => Promise<Site | undefined>
  readonly others: (...but: readonly Site[]) => readonly Site[]
  /** Those that are not caught up, connected and voting in time, each with why. */
  readonly whoIsNotReady: (sites: readonly Site[], timeoutMs: number) => Promise<readonly string[]>
  readonly logSize: (site: Site) => number
  /** What the node has written to its log since it had this size. */
  readonly logSince: (site: Site, size: number) => string
  readonly close: () => Promise<void>
  /** At once, for the very end. */
  readonly endAll: () => void
}

export interface FieldOptions {
  readonly folder: string
  readonly validators: number
  readonly random: Random
  /** A node ended by itself where it must not. */
  readonly onDeath: (what: string) => void
}

export async function openField({ folder, validators: count, random, onDeath }: FieldOptions): Promise<Field> {
  const network = await openNetwork(
    { validators: count, observers: 1, data: path.join(folder, 'net'), basePort: await freeBasePort(), fresh: false, demo: false, exit: true, given: new Set() },
    () => {},
  )
  const links = await createLinks(network.nodes.map((node) => ({ name: node.name, port: p2pPortOf(node) })), random)
  for (const node of network.nodes) writeConfig(node, links.addressesFor(node.name))
  const sites = network.nodes.map((node): Site => ({ node, name: node.name, data: path.join(node.folder, 'data'), client: createClient({ url: node.rpc, timeoutMs: askMs, rounds: 1 }) }))
  const validators = sites.filter(({ node }) => node.role === 'validator')
  const ending = new Set<string>()
  const processes = createProcesses((node, how, lastLines) => {
    if (!ending.has(node.name)) onDeath(`${node.name} ${how} by itself. Its last words: ${lastLines.slice(-3).join(' | ')}`)
  })
  const signal = (site: Site, what: NodeJS.Signals): void => {
    const pid = processes.pidOf(site.node)
    if (pid !== undefined) process.kill(pid, what)
  }
  const isRunning = (site: Site): boolean => processes.isRunning(site.node)
  const gone = async (ended: readonly Site[], timeoutMs: number): Promise<void> => {
    const until = performance.now() + timeoutMs
    while (ended.some(isRunning)) {
      if (performance.now() > until) throw new Error(`${ended.filter(isRunning).map(({ name }) => name).join(', ')} did not end within ${timeoutMs / 1_000} s`)
      await pause(tickMs / 5)
    }
  }

  const whyNotReady = async (site: Site): Promise<string | undefined> => {
    if (!isRunning(site)) return 'it does not run'
    try {
      const { ready, peers, problems } = await site.client.call('node_status', {})
      const needed = site.node.role === 'validator' ? count - 1 : count
      return ready && peers >= needed ? undefined : problems.length > 0 ? problems.join('; ') : `connected to ${peers} of the ${needed} that it needs`
    } catch (error) {
      return (error as Error).message
    }
  }

  return {
    network,
    links,
    sites,
    validators,
    tolerated: faultsTolerated(count),
    quorum: quorumSize(count),
    start: (...started) => {
      for (const site of started) {
        ending.delete(site.name)
        processes.start(site.node)
      }
    },
    kill: async (...killed) => {
      for (const site of killed) {
        ending.add(site.name)
        signal(site, 'SIGKILL')
      }
      await gone(killed, goneMs)
    },
    stop: async (...stopped) => {
      for (const site of stopped) {
        ending.add(site.name)
        signal(site, 'SIGTERM')
      }
      await gone(stopped, 2 * goneMs)
    },
    pause: (...paused) => paused.forEach((site) => signal(site, 'SIGSTOP')),
    resume: (...resumed) => resumed.forEach((site) => signal(site, 'SIGCONT')),
    isRunning,
    mayEnd: (site) => void ending.add(site.name),
    mustRun: (site) => void ending.delete(site.name),
    primary: async () => {
      const named = await Promise.all(validators.map(({ client }) => client.call('node_status', {}).catch(() => undefined)))
      // a node that was left behind names an old one
      const latest = named.reduce((best, status) => (status !== undefined && (best === undefined || status.view > best.view) ? status : best), undefined)
      return validators.find(({ name }) => name === latest?.primary)
    },
    others: (...but) => validators.filter((site) => !but.includes(site)),
    whoIsNotReady: async (asked, timeoutMs) => {
      const until = performance.now() + timeoutMs
      const waitFor = async (site: Site): Promise<string[]> => {
        for (;;) {
          const why = await whyNotReady(site)
          if (why === undefined) return []
          if (performance.now() > until || !isRunning(site)) return [`${site.name}: ${why}`]
          await pause(tickMs)
        }
      }
      return (await Promise.all(asked.map(waitFor))).flat()
    },
    logSize: ({ node }) => (existsSync(node.log) ? statSync(node.log).size : 0),
    logSince: ({ node }, size) => readFileSync(node.log).subarray(size).toString('utf8'),
    close: async () => {
      for (const site of sites) {
        ending.add(site.name)
        // a paused one hears nothing else
        signal(site, 'SIGCONT')
      }
      await processes.stopAll()
      links.close()
    },
    endAll: () => processes.endAll(),
  }
}

interface ConfigFile {
  readonly p2p: Readonly<Record<string, unknown>> & { readonly port: number }
}

function readConfig(node: DevnetNode): ConfigFile {
  return JSON.parse(readFileSync(node.config, 'utf8')) as ConfigFile
}

function p2pPortOf(node: DevnetNode): number {
  return readConfig(node).p2p.port
}

function writeConfig(node: DevnetNode, addresses: Readonly<Record<string, string>>): void {
  const config = readConfig(node)
  writeFileSync(node.config, `${JSON.stringify({ ...config, p2p: { ...config.p2p, addresses } }, undefined, 2)}\n`)
}

/** The last lines of every node, for the report of a failure. */
export function lastWords({ sites }: Field): string {
  return sites.map(({ node }) => `${node.name}\n  ${tail(node.log).join('\n  ')}`).join('\n')
}
