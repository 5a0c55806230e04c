// What the state holds of each DID: its current version in one record, which every signature reads, and each version that was replaced.
import type { Did } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { boolean, hash, height, type Infer, list, optional, record, timeMs } from '../../primitives/schema.ts'
import { type BlockInfo, type Refusal, refuse } from '../family.ts'
import { table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'
import { unschedule } from './schedule.ts'
import { type DidKey, didKey, didKeysMax, type DidService, didService, didServicesMax, didVersion } from './types.ts'

const versionFields = {
  version: didVersion,
  /** Empty only when deactivated. */
  keys: list(didKey, 0, didKeysMax),
  services: list(didService, 0, didServicesMax),
  atMs: timeMs,
  atHeight: height,
} as const

export const didVersionRecord = record(versionFields)
export type DidVersionRecord = Infer<typeof didVersionRecord>

export const didRecord = record({
  ...versionFields,
  createdMs: timeMs,
  recovery: optional(hash),
  deactivated: boolean,
})
export type DidRecord = Infer<typeof didRecord>

/** did/<did> */
export const didTable = table('did', didRecord)
/** did.version/<did>/<version>: the versions before the current one. */
export const didVersionTable = table('did.version', didVersionRecord)

/** A bound of the version number alone: the history of a DID is as long as its holder signs changes. */
export const versionsMax = 0xffff_fffe

export function readDid(view: ReadView, did: Did): DidRecord | undefined {
  return view.get(didTable, did)
}

/** The current version, or why nothing can be done with the DID. */
export function readActive(view: ReadView, did: Did): DidRecord | Refusal {
  const current = readDid(view, did)
  if (current === undefined) return refuse('did/not-registered')
  return current.deactivated ? refuse('did/deactivated') : current
}

export interface DidContent {
  readonly keys: readonly DidKey[]
  readonly services: readonly DidService[]
  readonly recovery?: DidRecord['recovery']
  readonly deactivated?: true
}

export function createDid(view: WriteView, block: BlockInfo, did: Did, content: DidContent): void {
  view.put(didTable, [did], { ...content, version: 1, atMs: block.timeMs, atHeight: block.height, createdMs: block.timeMs, deactivated: false })
}

/** Puts the current version into the history and the content in its place; what was scheduled for the version before is dropped. */
export function replaceDid(view: WriteView, block: BlockInfo, did: Did, content: DidContent): DidRecord {
  const current = readDid(view, did)
  assert(current !== undefined && !current.deactivated, 'an active DID to replace')
  const { version, keys, services, atMs, atHeight, createdMs } = current
  view.put(didVersionTable, [did, version], { version, keys, services, atMs, atHeight })
  const next: DidRecord = { ...content, version: version + 1, atMs: block.timeMs, atHeight: block.height, createdMs, deactivated: content.deactivated ?? false }
  view.put(didTable, [did], next)
  unschedule(view, did)
  return next
}
