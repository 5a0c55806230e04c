// Waiting until every node answers, is ready, and sees those that it must see.
import { setTimeout as pause } from 'node:timers/promises'
import { createClient, DongbaekError } from '../../rpc/client/index.ts'
import type { DevnetNode } from './network.ts'
import type { Processes } from './processes.ts'

/** Node's start costs a second of work each; a machine that does much else takes its time. */
const readyMs = 120_000
const tellMs = 5_000
const tickMs = 100
const askMs = 2_000

/** Those that are not ready in time or ended meanwhile, each with why; empty when all is well. */
export async function waitUntilReady(
  nodes: readonly DevnetNode[],
  processes: Pick<Processes, 'isRunning'>,
  isStopped: () => boolean,
  onWait: (line: string) => void = () => {},
): Promise<readonly { readonly node: DevnetNode; readonly why: string }[]> {
  const until = performance.now() + readyMs
  const waiting = new Map<string, string>()
  const teller = setInterval(() => onWait(summary(waiting)), tellMs)
  const validators = nodes.filter(({ role }) => role === 'validator').length
  const waitFor = async (node: DevnetNode): Promise<{ readonly node: DevnetNode; readonly why: string }[]> => {
    const client = createClient({ url: node.rpc, timeoutMs: askMs, rounds: 1 })
    const needed = node.role === 'validator' ? validators - 1 : validators
    for (;;) {
      const why = await whyNot(client, needed)
      if (why === undefined || isStopped()) {
        waiting.delete(node.name)
        return []
      }
      waiting.set(node.name, why)
      if (!processes.isRunning(node)) return [{ node, why: 'its process ended' }]
      if (performance.now() > until) return [{ node, why }]
      await pause(tickMs)
    }
  }
  try {
    return (await Promise.all(nodes.map(waitFor))).flat()
  } finally {
    clearInterval(teller)
  }
}

/** Nodes by what they wait for. */
function summary(waiting: ReadonlyMap<string, string>): string {
  const byReason = new Map<string, string[]>()
  for (const [name, why] of waiting) byReason.set(why, [...(byReason.get(why) ?? []), name])
  return [...byReason].map(([why, names]) => `${names.join(', ')}: ${why}`).join(' | ')
}

async function whyNot(client: ReturnType<typeof createClient>, peersNeeded: number): Promise<string | undefined> {
  try {
    const { ready, peers, problems } = await client.call('node_status', {})
    if (ready && peers >= peersNeeded) return undefined
    return problems.length > 0 ? problems.join('; ') : `it is connected to ${peers} of the ${peersNeeded} that it needs`
  } catch (error) {
    return error instanceof DongbaekError && error.code === 'client/unreachable' ? 'no answer yet' : `no answer yet (${(error as Error).message})`
  }
}
