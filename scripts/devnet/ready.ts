// Waiting until every node answers, is ready, and sees those that it must see.
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '../../rpc/client/index.ts'
import type { DevnetNode } from './network.ts'
import type { Processes } from './processes.ts'

const readyMs = 60_000
const tickMs = 100
const askMs = 2_000

/** Those that are not ready in time or ended meanwhile, each with why; empty when all is well. */
export async function waitUntilReady(nodes: readonly DevnetNode[], processes: Pick<Processes, 'isRunning'>, isStopped: () => boolean): Promise<readonly { readonly node: DevnetNode; readonly why: string }[]> {
  const until = performance.now() + readyMs
  const validators = nodes.filter(({ role }) => role === 'validator').length
  const waitFor = async (node: DevnetNode): Promise<{ readonly node: DevnetNode; readonly why: string }[]> => {
    const client = createClient({ url: node.rpc, timeoutMs: askMs, rounds: 1 })
    const needed = node.role === 'validator' ? validators - 1 : validators
    for (;;) {
      const why = await whyNot(client, needed)
      if (why === undefined || isStopped()) return []
      if (!processes.isRunning(node)) return [{ node, why: 'its process ended' }]
      if (performance.now() > until) return [{ node, why }]
      await pause(tickMs)
    }
  }
  return (await Promise.all(nodes.map(waitFor))).flat()
}

async function whyNot(client: ReturnType<typeof createClient>, peersNeeded: number): Promise<string | undefined> {
  try {
    const { ready, peers, problems } = await client.call('node_status', {})
    if (ready && peers >= peersNeeded) return undefined
    return problems.length > 0 ? problems.join(' ') : `it is connected to ${peers} of the ${peersNeeded} that it needs`
  } catch (error) {
    return `it does not answer yet (${(error as Error).message})`
  }
}
