// The snapshots that this node keeps for others: of every so-many-th height, once it is certified, in folders of the data folder. While a height waits for its
// certificate, and while the snapshot is made in small slices between the node's other work, what blocks overwrite is put aside (past-state.ts).
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckpointCertificate } from '../consensus/certificate.ts'
import type { Height } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { SnapshotRequest } from '../rpc/api/admin.ts'
import type { SnapshotInfo } from '../rpc/backend.ts'
import type { ChainStore } from './chain-store.ts'
import { snapshotRestShare, snapshotSliceMs, snapshotsKept } from './limits.ts'
import type { PastState } from './past-state.ts'
import { decodeManifest, encodeManifest, type Manifest, snapshotHash } from './snapshot-exchange.ts'
import { makeSnapshot, partFile, readManifestFile, readPartFile } from './snapshot-make.ts'
import type { Clock, Log } from './world.ts'

export interface Snapshots {
  /** Directly after the block is stored, before another is. */
  readonly blockStored: (height: Height) => void
  readonly certified: (certificate: CheckpointCertificate) => void
  /** An operator asks for one beside those of every so-many-th height. */
  readonly request: () => SnapshotRequest
  /** Oldest first. */
  readonly list: () => readonly SnapshotInfo[]
  /** Encoded. Throws `snapshot/none`. */
  readonly manifest: (height: Height | undefined) => Uint8Array
  /** Throws `snapshot/none`, `snapshot/damaged`. */
  readonly part: (height: Height, index: number) => Promise<Uint8Array>
  readonly stop: () => Promise<void>
}

export interface SnapshotsContext {
  readonly dataDir: string
  readonly pastState: ChainStore['pastState']
  readonly clock: Clock
  readonly log: Log
  /** 0: none is made. */
  readonly everyBlocks: number
  /** Under load only every so-many-th height is certified. */
  readonly checkpointInterval: number
  /** The last stored block's certificate, when there is one and no later block is being stored; the database then holds the state that it certifies. */
  readonly certifiedHead: () => CheckpointCertificate | undefined
}

interface Kept {
  readonly info: SnapshotInfo
  readonly folder: string
  readonly encoded: Uint8Array
}

export function snapshotsFolder(dataDir: string): string {
  return join(dataDir, 'snapshots')
}

export function snapshotFolder(dataDir: string, height: Height): string {
  return join(snapshotsFolder(dataDir), String(height).padStart(12, '0'))
}

export function infoOf(folder: string, manifest: Manifest): SnapshotInfo {
  const { height, stateRoot } = manifest.certificate.content
  const bytes = manifest.parts.reduce((sum, _, index) => sum + statSync(partFile(folder, index)).size, 0)
  return { height, stateRoot, hash: snapshotHash(manifest), parts: manifest.parts.length, bytes }
}

/** What an interrupted making left, or what was damaged, is removed: the next is made by itself. */
export function keptSnapshots(dataDir: string, log: Log): readonly Kept[] {
  const root = snapshotsFolder(dataDir)
  if (!existsSync(root)) return []
  return readdirSync(root)
    .sort()
    .flatMap((name) => {
      const folder = join(root, name)
      try {
        if (!/^\d{12}$/.test(name)) throw new DongbaekError('snapshot/damaged', 'an unfinished snapshot')
        const encoded = readManifestFile(folder)
        return [{ folder, encoded, info: infoOf(folder, decodeManifest(encoded)) }]
      } catch (error) {
        log.warn('snapshot-removed', { folder, error })
        rmSync(folder, { recursive: true, force: true })
        return []
      }
    })
}

/** The first height with a checkpoint in each stretch of `everyBlocks`: the same on all nodes that make as many. */
export function isSnapshotHeight(height: number, everyBlocks: number, checkpointInterval: number): boolean {
  return everyBlocks > 0 && height % checkpointInterval === 0 && Math.floor(height / everyBlocks) > Math.floor((height - checkpointInterval) / everyBlocks)
}

export function createSnapshots({ dataDir, pastState, clock, log, everyBlocks, checkpointInterval, certifiedHead }: SnapshotsContext): Snapshots {
  let kept = keptSnapshots(dataDir, log)
  let waiting: { readonly height: Height; readonly state: PastState } | undefined
  let making: { readonly height: Height; readonly done: Promise<void> } | undefined
  /** By an operator; none has been begun since. */
  let requested = false
  let stopped = false

  const letGo = (): void => {
    waiting?.state.close()
    waiting = undefined
  }

  /** Work for a slice, then leave the greater part of the time to others: less of it, the more is put aside, and by the square, so that most of it is done slowly. */
  const resting = (state: PastState): (() => Promise<void>) => {
    let sinceMs = clock.monotonic()
    return async () => {
      if (stopped) throw new DongbaekError('snapshot/stopped', 'the node stops')
      const workedMs = clock.monotonic() - sinceMs
      if (workedMs < snapshotSliceMs) return
      await new Promise<void>((resolve) => clock.after(Math.min(workedMs, 10 * snapshotSliceMs) * snapshotRestShare * (1 - state.filled()) ** 2, resolve))
      sinceMs = clock.monotonic()
    }
  }

  const make = async (certificate: CheckpointCertificate, state: PastState): Promise<void> => {
    const { height } = certificate.content
    const folder = snapshotFolder(dataDir, height)
    const startMs = clock.monotonic()
    try {
      mkdirSync(snapshotsFolder(dataDir), { recursive: true, mode: 0o700 })
      const manifest = await makeSnapshot({ state, certificate, folder, rest: resting(state) })
      const info = infoOf(folder, manifest)
      const all = [...kept, { info, folder, encoded: encodeManifest(manifest) }]
      kept = all.slice(-snapshotsKept)
      for (const { folder: old } of all.slice(0, -snapshotsKept)) rmSync(old, { recursive: true, force: true })
      log.info('snapshot-made', { height, parts: info.parts, bytes: info.bytes, hash: toBase64url(info.hash), ms: Math.round(clock.monotonic() - startMs) })
    } catch (error) {
      if (!stopped) log.error('snapshot-failed', { height, error })
    } finally {
      state.close()
    }
  }

  const begin = (certificate: CheckpointCertificate, state: PastState): void => {
    requested = false
    const done = make(certificate, state).finally(() => {
      making = undefined
    })
    making = { height: certificate.content.height, done }
  }

  /** What is asked for begins at rest or, under load, with the next height that will surely be certified. */
  const beginRequested = (): void => {
    const certificate = requested && making === undefined && !stopped ? certifiedHead() : undefined
    if (certificate === undefined) return
    letGo()
    begin(certificate, pastState())
  }

  const find = (height: Height | undefined): Kept => {
    const found = height === undefined ? kept.at(-1) : kept.find(({ info }) => info.height === height)
    if (found === undefined) throw new DongbaekError('snapshot/none', 'no such snapshot is kept here')
    return found
  }

  return {
    blockStored: (height) => {
      const wanted = isSnapshotHeight(height, everyBlocks, checkpointInterval) || (requested && height % checkpointInterval === 0)
      if (stopped || !wanted || making !== undefined || kept.some(({ info }) => info.height >= height)) return
      letGo()
      waiting = { height, state: pastState() }
    },
    certified: (certificate) => {
      if (waiting?.height === certificate.content.height && making === undefined && !stopped) {
        const { state } = waiting
        waiting = undefined
        begin(certificate, state)
      } else beginRequested()
    },
    request: () => {
      if (making !== undefined) return { state: 'making', height: making.height }
      const height = certifiedHead()?.content.height
      if (height !== undefined && kept.some(({ info }) => info.height === height)) return { state: 'kept', height }
      requested = true
      beginRequested()
      return height === undefined ? { state: 'waiting', height } : { state: 'making', height }
    },
    list: () => kept.map(({ info }) => info),
    manifest: (height) => find(height).encoded,
    part: async (height, index) => {
      const { folder, info } = find(height)
      if (index >= info.parts) throw new DongbaekError('snapshot/none', 'the snapshot has no such part')
      return readPartFile(folder, index)
    },
    stop: async () => {
      stopped = true
      letGo()
      await making?.done
    },
  }
}
