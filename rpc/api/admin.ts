// admin_…: what an operator tells a node that runs. On the administration's own port alone; the public one knows none of these names.
import { height, type Infer, oneOf, optional, record } from '../../primitives/schema.ts'
import { declare } from './declare.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export const adminLogLevel = declare({
  method: 'admin_logLevel',
  summary: 'Sets the least level that is logged, until the next start; without a level, only tells it.',
  params: record({ level: optional(oneOf(...logLevels)) }),
  result: record({ level: oneOf(...logLevels) }),
  example: { level: 'debug' },
})

/** `kept`: there is one of this height. `making`: of this height, now. `waiting`: it begins with the next certified block. */
const snapshotRequest = record({ state: oneOf('kept', 'making', 'waiting'), height: optional(height) })
export type SnapshotRequest = Infer<typeof snapshotRequest>

export const adminSnapshot = declare({
  method: 'admin_snapshot',
  summary: 'Has the node make a snapshot of its state for nodes that join, as it does by itself every limits.snapshotBlocks; state_snapshotInfo lists it once it is made.',
  params: record({}),
  result: snapshotRequest,
  example: {},
})

export const adminStop = declare({
  method: 'admin_stop',
  summary: 'Stops the node in order, as SIGTERM does: no new work, votes and blocks on the disk, connections closed. The answer comes before it begins.',
  params: record({}),
  result: record({ stopping: oneOf('yes') }),
  example: {},
})
