// From what was sent and read to the figures of the report.
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import path from 'node:path'
import { createClient } from '../../rpc/client/index.ts'
import type { DevnetNode } from '../devnet/network.ts'
import type { Sent } from './load.ts'
import { measureVerification, type Memory, type Reading, verifyFloor, warnings } from './measure.ts'
import type { BenchOptions } from './options.ts'
import type { Beside, BenchResult } from './report.ts'
import { latencySummary, round } from './statistics.ts'

export interface Run {
  readonly nodes: readonly DevnetNode[]
  readonly sent: ReadonlyMap<string, Sent>
  /** Of the measured stretch (performance.now()). */
  readonly startMs: number
  readonly endMs: number
  /** When the folders were empty; at both ends of the stretch; and when nothing was pending any more. */
  readonly empty: Reading
  readonly before: Reading
  readonly after: Reading
  readonly full: Reading
  /** What the generator used meanwhile. */
  readonly own: NodeJS.CpuUsage
  readonly memory: Memory
  readonly load: string
  readonly signedLate: number
}

export async function resultOf({ validators, mix }: BenchOptions, run: Run): Promise<{ readonly result: BenchResult; readonly beside: Beside }> {
  const { nodes, startMs, endMs, empty, before, after, full } = run
  const seconds = (endMs - startMs) / 1_000
  const all = [...run.sent.values()]
  const within = (ms: number): boolean => ms >= startMs && ms < endMs
  const submitted = all.filter(({ sentMs }) => within(sentMs))
  const committed = submitted.filter(({ outcome }) => outcome === 'ok')
  const rejected = submitted.filter(({ outcome }) => outcome === 'rejected' || outcome === 'refused')
  const finished = all.filter(({ outcome, doneMs }) => outcome === 'ok' && within(doneMs)).length
  const verifySeconds = measureVerification()
  const floor = verifyFloor(validators, verifySeconds)
  const perTx = (value: number): number => value / Math.max(1, finished)
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds
  // since the folders were empty: over a short stretch LevelDB's log and compactions would show, not what is kept
  const everOk = all.filter(({ outcome }) => outcome === 'ok').length
  const kept = (bytes: number): number => round(bytes / validators / Math.max(1, everOk), 0)
  const [store, votes] = [kept(full.storeBytes - empty.storeBytes), kept(full.votesBytes - empty.votesBytes)]
  return {
    result: {
      validators,
      seconds: round(seconds),
      mix,
      submitted: submitted.length,
      committed: committed.length,
      rejected: rejected.length,
      txPerSecond: round(finished / seconds),
      latencyMs: latencySummary(committed.map(({ sentMs, doneMs }) => doneMs - sentMs)),
      cpuSecondsPerTx: round(perTx(cpuSeconds), 6),
      verifyFloorTxPerSecond: round(floor),
      ratioToFloor: round(finished / seconds / floor, 3),
      blocks: after.height - before.height,
      txPerBlock: round(finished / Math.max(1, after.height - before.height)),
      rssMiB: { validatorMax: round(run.memory.max) },
      bytesPerTx: { disk: store + votes, network: round(perTx(after.networkBytes - before.networkBytes) / validators, 0) },
      versions: await versions(nodes[0]?.rpc ?? ''),
    },
    beside: {
      load: run.load,
      memoryByFifths: run.memory.fifths,
      generatorCores: (run.own.user + run.own.system) / 1e6 / seconds,
      signedLate: run.signedLate,
      verifyUs: verifySeconds * 1e6,
      validatorCores: cpuSeconds / seconds,
      loadAverage: loadavg()[0] ?? 0,
      storeBytesPerTx: store,
      votesBytesPerTx: votes,
      warnings: warnings(nodes),
      viewChanges: after.view - before.view,
      threads: [...after.threadSeconds]
        .map(([name, value]) => [name, perTx(value - (before.threadSeconds.get(name) ?? 0)) * 1e6] as const)
        .filter(([, us]) => us >= 1)
        .sort((a, b) => b[1] - a[1]),
      rejectedBy: countBy(rejected),
    },
  }
}

function countBy(rejected: readonly Sent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { code = 'no code' } of rejected) counts.set(code, (counts.get(code) ?? 0) + 1)
  return counts
}

async function versions(url: string): Promise<Readonly<Record<string, string>>> {
  const { version } = await createClient({ url }).call('node_status', {})
  const of = (name: string): string => (JSON.parse(readFileSync(path.join(import.meta.dirname, '..', '..', 'node_modules', name, 'package.json'), 'utf8')) as { readonly version: string }).version
  return { dongbaek: version, node: process.versions.node, libp2p: of('libp2p'), 'classic-level': of('classic-level'), 'sodium-native': of('sodium-native') }
}
