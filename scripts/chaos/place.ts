// The temporary folder of a run, and what a run that was itself killed has left behind: its nodes, mounts and folder.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stopOthers } from '../devnet/processes.ts'
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
