// The administration of a running node, where the configuration asks for it (rpc/admin.ts). It outlives the lives of a node that joins by a snapshot.
import { type AdminServer, createAdminServer } from '../rpc/admin.ts'
import type { Config } from './config.ts'
import type { LogGate } from './log.ts'
import type { RunningNode } from './node.ts'
import type { Log } from './world.ts'

export interface Administered {
  readonly node: RunningNode
  readonly config: Pick<Config, 'admin'>
  readonly gate: LogGate
  readonly log: Log
  /** Stops the process. */
  readonly stop: () => void
}

/** undefined: none is configured. Throws `rpc/listen`. */
export async function startAdmin({ node, config, gate, log, stop }: Administered): Promise<AdminServer | undefined> {
  const { host, port } = config.admin
  if (port === undefined) return undefined
  const server = createAdminServer(
    {
      status: () => node.operator.status(),
      peers: () => node.operator.peers(),
      makeSnapshot: () => node.operator.makeSnapshot(),
      metrics: async () => node.front.metrics(),
      logLevel: () => gate.level,
      setLogLevel: (level) => {
        gate.level = level
      },
      stop,
    },
    { host, port, log: log.child({ part: 'admin' }) },
  )
  await server.start()
  return server
}
