// An assembled node that answers its clients by the RPC server.
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createRpcServer, type RpcServer } from '../rpc/server.ts'
import { type AssembledNode, assembleNode, type Opened } from './assembly.ts'

export interface RunningNode extends AssembledNode<RpcServer> {
  /** Of the RPC. */
  readonly url: string
}

/** Throws `transport/listen`, `rpc/listen`. */
export async function runWithRpc(opened: Omit<Opened, 'metrics'>): Promise<RunningNode> {
  const { config, log, chain } = opened
  const { host, port, origins, proxies, keys } = config.rpc
  const perSecond = config.limits.rpcRequestsPerSecond
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics, prefix: 'dongbaek_process_' })
  const rate = { perSecond, burst: 2 * perSecond }
  const node = await assembleNode({ ...opened, metrics }, (backend) => createRpcServer(backend, { host, port, log: log.child({ part: 'rpc' }), rate, origins, keys, ...(proxies > 0 && { proxies }) }))
  const url = node.front.address()?.url ?? ''
  log.info('started', { rpc: url, height: chain.store.head().height })
  return { ...node, url }
}
