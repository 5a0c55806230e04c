// The temporary folder of a run, and what a run that was itself killed has left behind: its nodes, mounts and folder.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stopOthers } from '../devnet/processes.ts'
import type { Random } from '../durability/random.ts'
import { unmountUnder } from './disk.ts'

const prefix = 'dongbaek-chaos-'
const ownerFile = 'chaos.pid'

export function makePlace(): string {
  const folder = mkdtempSync(path.join(tmpdir(), prefix))
  writeFileSync(path.join(folder, ownerFile), String(process.pid))
  return folder
}

export function removePlace(folder: string): void {
  unmountUnder(folder)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Cleans up after runs whose process is gone; how many there were. A folder that a failed run kept on purpose stays. */
export async function sweep(): Promise<number> {
  let swept = 0
  for (const name of readdirSync(tmpdir())) {
    const folder = path.join(tmpdir(), name)
    if (!name.startsWith(prefix) || !existsSync(path.join(folder, ownerFile)) || isAlive(Number(readFileSync(path.join(folder, ownerFile), 'utf8')))) continue
    await stopOthers(path.join(folder, 'net'))
    removePlace(folder)
    swept++
  }
  return swept
}

/** Leaves the folder for whoever looks into a failure, without mounts. */
export function keepPlace(folder: string): void {
  unmountUnder(folder)
  rmSync(path.join(folder, ownerFile), { force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Below the ports that the system hands out, and clear of the devnet's own. */
export async function freeBasePort(random: Random, validators: number): Promise<number> {
  const offsets = [...Array.from({ length: validators }, (_, i) => [i, 200 + i]).flat(), 100, 300]
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 10_000 + random.below(32) * 500
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)))
    if (free.every(Boolean)) return base
  }
  throw new Error('There are no free ports for the network. Stop what runs between 10000 and 26000.')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
