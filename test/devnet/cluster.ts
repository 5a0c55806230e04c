// A network of real processes for tests: the devnet's own folder and processes, far from its default ports, in a temporary folder, always cleaned up.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { toBase64url } from '../../primitives/bytes.ts'
import { buildTransaction, type Client, createClient, randomSeed, type ReceiptJson, signTransaction, type SignedTransaction, submitAndWait, walletFromSeed } from '../../rpc/client/index.ts'
import { type DevnetNode, type Network, openNetwork } from '../../scripts/devnet/network.ts'
import { freeBasePort } from '../../scripts/devnet/ports.ts'
import { createProcesses, tail } from '../../scripts/devnet/processes.ts'
import { waitUntilReady } from '../../scripts/devnet/ready.ts'

export interface Cluster {
  readonly network: Network
  readonly validators: readonly DevnetNode[]
  readonly start: (...nodes: readonly DevnetNode[]) => void
  /** kill -9, and waits until it is gone. */
  readonly kill: (...nodes: readonly DevnetNode[]) => Promise<void>
  readonly ready: (nodes: readonly DevnetNode[]) => Promise<void>
  readonly client: (node: DevnetNode) => Client
  readonly height: (node: DevnetNode) => Promise<number>
  readonly primary: () => Promise<DevnetNode>
  /** What every node says of itself, for the report of a failure. */
  readonly describe: () => Promise<string>
  /** A transaction that changes the state: a citizen registers. */
  readonly transaction: () => Promise<SignedTransaction>
  /** Submitted and waited for through this node; the receipt is kept as acknowledged. */
  readonly commit: (node: DevnetNode, timeoutMs: number) => Promise<ReceiptJson>
  /** Every receipt that was ever answered as final. */
  readonly acknowledged: readonly ReceiptJson[]
  /** Those that the node does not hold any more, or holds otherwise. */
  readonly missing: (node: DevnetNode) => Promise<readonly string[]>
}

export async function startCluster(t: Test, counts: { readonly validators: number; readonly observers: number }): Promise<Cluster> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-test-'))
  const network = await openNetwork({ ...counts, data: path.join(folder, 'net'), basePort: await freeBasePort(), fresh: false, demo: false, exit: true, given: new Set() }, () => {})
  const killed = new Set<string>()
  const processes = createProcesses((node, how, lastLines) => {
    if (killed.delete(node.name)) return
    t.fail(`${node.name} ${how} by itself:\n${lastLines.join('\n')}`)
  })
  t.teardown(async () => {
    await processes.stopAll()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const clients = new Map<string, Client>()
  const client = (node: DevnetNode): Client => {
    const known = clients.get(node.name) ?? createClient({ url: node.rpc, timeoutMs: 3_000, rounds: 1 })
    clients.set(node.name, known)
    return known
  }
  const acknowledged: ReceiptJson[] = []
  const registrar = walletFromSeed(network.seedOf('registrar'))
  const transaction = (): Promise<SignedTransaction> => {
    const wallet = walletFromSeed(randomSeed())
    return signTransaction(buildTransaction({ chain: network.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar])
  }
  const validators = network.nodes.filter(({ role }) => role === 'validator')
  const cluster: Cluster = {
    network,
    validators,
    start: (...nodes) => nodes.forEach((node) => processes.start(node)),
    kill: async (...nodes) => {
      for (const node of nodes) {
        const pid = processes.pidOf(node)
        if (pid === undefined) throw new Error(`${node.name} does not run`)
        killed.add(node.name)
        process.kill(pid, 'SIGKILL')
      }
      await until(async () => nodes.every((node) => !processes.isRunning(node)), 5_000, 'the processes are gone')
    },
    ready: async (nodes) => {
      const late = await waitUntilReady(nodes, processes, () => false)
      if (late.length > 0) throw new Error(late.map(({ node, why }) => `${node.name} is not ready: ${why}\n${tail(node.log).join('\n')}`).join('\n'))
    },
    client,
    height: async (node) => (await client(node).call('chain_head', {})).height,
    primary: async () => {
      const { primary } = await client(validators.find((node) => processes.isRunning(node)) as DevnetNode).call('node_status', {})
      return validators.find(({ name }) => name === primary) as DevnetNode
    },
    describe: async () => {
      const lines = network.nodes.map(async (node) => {
        const status = await client(node)
          .call('node_status', {})
          .catch((error: unknown) => String(error))
        return `${node.name} ${JSON.stringify(status)}\n  ${tail(node.log).join('\n  ')}`
      })
      return (await Promise.all(lines)).join('\n')
    },
    transaction,
    commit: async (node, timeoutMs) => {
      // as a citizen's app does it: asked again when there is no answer in time
      const receipt = await submitAndWait(createClient({ url: node.rpc, timeoutMs: 3_000 }), await transaction(), { timeoutMs })
      acknowledged.push(receipt)
      return receipt
    },
    acknowledged,
    missing: async (node) => {
      const lost: string[] = []
      for (const { id, height, status } of acknowledged) {
        const found = await client(node)
          .call('tx_get', { id })
          .catch(() => undefined)
        if (found?.receipt.height !== height || found.receipt.status !== status) lost.push(`${id} of block ${height}`)
      }
      return lost
    },
  }
  return cluster
}

export async function until(holds: () => Promise<boolean>, timeoutMs: number, what: string): Promise<number> {
  const started = performance.now()
  let last: unknown
  const asked = (): Promise<boolean> =>
    holds().catch((error: unknown) => {
      last = error
      return false
    })
  while (!(await asked())) {
    if (performance.now() - started > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: last })
    await pause(50)
  }
  return performance.now() - started
}

/** The signed bytes as tx_submit takes them. */
export function submission(signed: SignedTransaction): { readonly transaction: string } {
  return { transaction: toBase64url(signed.bytes) }
}
