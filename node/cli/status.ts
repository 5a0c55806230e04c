// dongbaek status: is this node healthy, and if not, why not. Exit code 0 when it is, 3 when it answers and is not well, 1 when it does not answer.
import type { Command } from 'commander'
import type { JsonObject } from '../../primitives/schema.ts'
import type { ResultJson } from '../../rpc/client/index.ts'
import { answer, exitUnwell, koreanTime, thousands } from './output.ts'
import { connect, type RemoteOptions, unreachable, withRemote } from './remote.ts'

type Status = ResultJson<'node_status'>

export function addStatus(program: Command): void {
  withRemote(program.command('status').description('ask a node how it does; exit code 3 when it is not well')).action(async (options: RemoteOptions) => {
    const client = connect(options)
    try {
      const status = await client.call('node_status', {})
      const peers = (await client.call('node_peers', {})).items
      const healthy = isHealthy(status)
      answer(options, { healthy, ...status, peerList: peers } as unknown as JsonObject, describe(status, peers, Date.now()))
      if (!healthy) process.exitCode = exitUnwell
    } catch (error) {
      throw unreachable(error, options.rpc)
    }
  })
}

export function isHealthy({ ready, problems }: Status): boolean {
  return ready && problems.length === 0
}

function describe(status: Status, peers: ResultJson<'node_peers'>['items'], nowMs: number): readonly string[] {
  const { name, role, chainId, head, behind, checkpoint, view, primary, mempool, syncing, ready, problems, version } = status
  const away = peers.filter(({ connected }) => !connected).map((peer) => (peer.lastError === undefined ? peer.name : `${peer.name} (${peer.lastError})`))
  const certified = checkpoint === undefined ? 'nothing certified yet' : checkpoint.height === head.height ? 'certified' : `certified up to ${thousands(checkpoint.height)}`
  return [
    isHealthy(status) ? `${name} is well.` : `${name} is not well${ready ? '' : syncing ? ': it is catching up' : ': it is not ready'}.`,
    ...problems.map((problem) => `  - ${problem}`),
    '',
    `role        ${role}, version ${version}`,
    `chain       ${chainId}`,
    head.height === 0 ? 'head        genesis, no block yet' : `head        ${thousands(head.height)} of ${koreanTime(head.timeMs)} (${thousands(Math.max(0, Math.round((nowMs - head.timeMs) / 1000)))} s ago), ${certified}`,
    behind.blocks === 0 && behind.ms === 0 ? 'behind      no' : `behind      ${thousands(behind.blocks)} ${behind.blocks === 1 ? 'block' : 'blocks'} known of; what it shows may be ${(behind.ms / 1_000).toFixed(1)} s old`,
    `view        ${view}, primary ${primary}`,
    `peers       ${peers.length - away.length} of ${peers.length} connected${away.length === 0 ? '' : `; not: ${away.join(', ')}`}`,
    `mempool     ${thousands(mempool.transactions)} transactions, ${thousands(mempool.bytes)} bytes`,
  ]
}
