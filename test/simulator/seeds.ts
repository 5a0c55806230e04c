// Seeds on every core: worker threads that take the next seed as soon as they have done one, so that no core waits for another.
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { faultKinds } from './faults.ts'
import { nodeFaultKinds } from './nodes/faults.ts'
import { simulateNodes } from './nodes/simulate.ts'
import { simulate, type SimulationResult } from './simulate.ts'

export const subjects = ['nodes', 'consensus'] as const
/** Whole nodes, or the consensus core alone under a simulated driver, which is several times faster. */
export type Subject = (typeof subjects)[number]

export interface SeedOptions {
  readonly of: Subject
  readonly validators: number
  /** Of those that the subject knows; undefined: all. */
  readonly faults: readonly string[] | undefined
}

export function faultKindsOf(subject: Subject): readonly string[] {
  return subject === 'nodes' ? nodeFaultKinds : faultKinds
}

export async function runSeed(seed: number, { of, validators, faults }: SeedOptions, trace?: (line: string) => void): Promise<SimulationResult> {
  const traced = trace === undefined ? {} : { trace }
  if (of === 'nodes') return simulateNodes({ seed, validators, ...traced, ...(faults === undefined ? {} : { faults: nodeFaultKinds.filter((kind) => faults.includes(kind)) }) })
  return simulate({ seed, validators, ...traced, ...(faults === undefined ? {} : { faults: faultKinds.filter((kind) => faults.includes(kind)) }) })
}

/** Runs `count` seeds from `first` on; tells each result as it comes, in no order. */
export async function runSeeds(first: number, count: number, options: SeedOptions, tell: (result: SimulationResult) => void): Promise<void> {
  let next = first
  const end = first + count
  const work = async (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: options })
      const give = (): void => worker.postMessage(next < end ? next++ : undefined)
      worker.on('message', (result: SimulationResult | undefined) => {
        if (result !== undefined) tell(result)
        give()
      })
      worker.on('error', reject)
      worker.on('exit', () => resolve())
    })
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work))
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  port.on('message', (seed: number | undefined) => {
    if (seed === undefined) {
      port.close()
      return
    }
    void runSeed(seed, workerData as SeedOptions).then((result) => port.postMessage(result))
  })
  port.postMessage(undefined)
}
