// The nodes as processes of their own. Each is a process group of its own, so that a Ctrl-C at the terminal reaches only us and we stop them in
// order; their output goes to their log. A devnet that was itself killed leaves them behind: the next start finds and stops them by their pid files.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { DevnetNode } from './network.ts'
import { root } from './options.ts'

/** Votes and the store are on the disk well within this; then the node is ended. */
const stopMs = 15_000
const tickMs = 50
const tailLines = 12
const pidFileName = 'node.pid'

export interface Processes {
  readonly start: (node: DevnetNode) => number
  readonly pidOf: (node: DevnetNode) => number | undefined
  readonly isRunning: (node: DevnetNode) => boolean
  /** Asks all to stop, and ends those that do not. Returns the names of those that had to be ended. */
  readonly stopAll: () => Promise<readonly string[]>
  /** Ends all at once. */
  readonly endAll: () => void
}

/** `onDeath`: it ended without our having asked. */
export function createProcesses(onDeath: (node: DevnetNode, how: string, lastLines: readonly string[]) => void): Processes {
  const running = new Map<string, { readonly child: ChildProcess; readonly node: DevnetNode }>()
  let stopping = false
  return {
    start: (node) => {
      const log = openSync(node.log, 'a')
      const child = spawn(process.execPath, startArguments(node), { cwd: root, stdio: ['ignore', log, log], detached: true })
      closeSync(log)
      running.set(node.name, { child, node })
      child.on('error', () => {})
      child.on('exit', (code, signal) => {
        if (running.get(node.name)?.child === child) running.delete(node.name)
        rmSync(pidFile(node), { force: true })
        if (!stopping) onDeath(node, signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`, tail(node.log))
      })
      if (child.pid !== undefined) writeFileSync(pidFile(node), String(child.pid))
      return child.pid ?? 0
    },
    pidOf: (node) => running.get(node.name)?.child.pid,
    isRunning: (node) => running.has(node.name),
    stopAll: async () => {
      stopping = true
      const ended: string[] = []
      await Promise.all(
        [...running.values()].map(async ({ child, node }) => {
          if (!(await stopPid(child.pid as number))) ended.push(node.name)
        }),
      )
      return ended
    },
    endAll: () => {
      stopping = true
      for (const { child } of running.values()) child.kill('SIGKILL')
    },
  }
}

function startArguments(node: DevnetNode): string[] {
  return [path.join(root, 'node/cli/main.ts'), 'start', '--config', node.config]
}

/** The command line that starts the node again in a shell, at the project's folder. */
export function startCommand(node: DevnetNode): string {
  const shown = (file: string): string => {
    const near = path.relative(root, file)
    return near.startsWith('..') ? file : near
  }
  return `npx dongbaek start --config ${shown(node.config)} >> ${shown(node.log)} 2>&1 &`
}

/** Stops what an earlier devnet, or a hand, left running on a data folder. Returns the names of the nodes. */
export async function stopLeftOver(data: string): Promise<readonly string[]> {
  const nodes = path.join(data, 'nodes')
  const found = (existsSync(nodes) ? readdirSync(nodes) : []).flatMap((name) => {
    const folder = path.join(nodes, name)
    const file = path.join(folder, pidFileName)
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
    return pid > 0 && runsIn(folder, pid) ? [{ name, pid, file }] : []
  })
  await Promise.all(found.map(({ pid }) => stopPid(pid)))
  for (const { file } of found) rmSync(file, { force: true })
  return found.map(({ name }) => name)
}

/** The number may have gone to another program since. */
function runsIn(folder: string, pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout?.includes(path.join(folder, 'config.json')) ?? false
}

/** False: it did not stop in time and was ended. */
async function stopPid(pid: number): Promise<boolean> {
  if (!signal(pid, 'SIGTERM')) return true
  for (let waited = 0; waited < stopMs; waited += tickMs) {
    await pause(tickMs)
    if (!signal(pid, 0)) return true
  }
  signal(pid, 'SIGKILL')
  return false
}

/** False: there is no such process. */
function signal(pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, what)
    return true
  } catch {
    return false
  }
}

function pidFile(node: DevnetNode): string {
  return path.join(node.folder, pidFileName)
}

export function tail(file: string): readonly string[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-tailLines)
}
