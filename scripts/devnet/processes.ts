// The nodes as processes of their own. Each is a process group of its own, so that a Ctrl-C at the terminal reaches only us and we stop them in
// order; their output goes to their log. A devnet that was itself killed leaves them behind, and a hand may start one again: those of a data folder
// are found by their command line.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { DevnetNode } from './network.ts'
import { root } from './options.ts'

/** Votes and the store are on the disk well within this; then the node is ended. */
const stopMs = 15_000
const tickMs = 50
const tailLines = 12
const devnetPid = 'devnet.pid'
const psBytesMax = 16 * 1_048_576

export interface Processes {
  readonly start: (node: DevnetNode) => number
  readonly pidOf: (node: DevnetNode) => number | undefined
  readonly isRunning: (node: DevnetNode) => boolean
  /** Asks all to stop, and ends those that do not. */
  readonly stopAll: () => Promise<{ readonly stopped: number; readonly ended: readonly string[] }>
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
        if (!stopping) onDeath(node, signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`, tail(node.log))
      })
      return child.pid ?? 0
    },
    pidOf: (node) => running.get(node.name)?.child.pid,
    isRunning: (node) => running.has(node.name),
    stopAll: async () => {
      stopping = true
      const ended: string[] = []
      const stopped = running.size
      await Promise.all(
        [...running.values()].map(async ({ child, node }) => {
          if (!(await stopPid(child.pid as number))) ended.push(node.name)
        }),
      )
      return { stopped, ended }
    },
    endAll: () => {
      stopping = true
      for (const { child } of running.values()) child.kill('SIGKILL')
    },
  }
}

function startArguments(node: DevnetNode): string[] {
  // as whoever started this was started
  return [...process.execArgv, path.join(root, 'node/cli/main.ts'), 'start', '--config', node.config]
}

/** The pid of another devnet that runs on this data folder. */
export function otherDevnet(data: string): number | undefined {
  const file = path.join(data, devnetPid)
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (pid <= 0 || pid === process.pid) return undefined
  // the number may have gone to another program since
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout?.includes('scripts/devnet.ts') === true ? pid : undefined
}

export function markOurs(data: string): void {
  writeFileSync(path.join(data, devnetPid), String(process.pid))
}

/** The command line that starts the node again in a shell, at the project's folder. The paths are whole, so that the node is found to be ours. */
export function startCommand(node: DevnetNode): string {
  return `npx dongbaek start --config ${node.config} >> ${node.log} 2>&1 &`
}

/** Stops whatever still runs on the nodes of a data folder: left by a devnet that was killed, or started by hand. Returns how many there were. */
export async function stopOthers(data: string): Promise<number> {
  const config = `${path.join(data, 'nodes')}${path.sep}`
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8', maxBuffer: psBytesMax })
  const pids = (stdout ?? '').split('\n').flatMap((line) => {
    // the program itself, not a shell or an editor that names it
    const [, pid, file] = /^\s*(\d+) \S*node (?:--\S+ )*\S*node\/cli\/main\.ts start --config (.*)$/.exec(line) ?? []
    return file?.startsWith(config) === true ? [Number(pid)] : []
  })
  await Promise.all(pids.map(stopPid))
  return pids.length
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

export function tail(file: string): readonly string[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-tailLines)
}
