// Joining by a snapshot: a node far behind asks its peers for one, takes the highest that a certificate holds up, and fetches its parts and the blocks with it from all who have it
// at once, into a database beside the one in use. A lie is found at the piece it is in. What was fetched is kept over a restart. docs/state-transfer.md has the flow.
import { existsSync } from 'node:fs'
import type { CheckpointCertificate } from '../consensus/certificate.ts'
import { farCheckpointChecks, type VerificationContext } from '../consensus/verification.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes, toBase64url } from '../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { joinParts, partBytesMax } from '../state/snapshot.ts'
import { distribute } from './distribute.ts'
import { beginInstall, type Install, isInstalling } from './join-install.ts'
import { joiningFolder, markJoined } from './joined-store.ts'
import { answerBytesMax, joinRetryMs, joinTimeoutMs, syncRangeBlocks } from './limits.ts'
import { decodeManifest, decodeRanBlocks, encodeSnapshotQuestion, type Manifest, snapshotHash, type SnapshotQuestion } from './snapshot-exchange.ts'
import { destroyStore, openStore } from './store.ts'
import { allVerify } from './sync-check.ts'
import { createSyncSources, type SyncSources } from './sync-sources.ts'
import type { Clock, Log, Store, Transport, Verifier } from './world.ts'

export interface Joining {
  /** A peer showed a certificate far above the own head. It is not checked yet. */
  readonly far: (certificate: CheckpointCertificate) => void
  /** Fetching blocks one by one is of no use meanwhile. */
  readonly underWay: () => boolean
  readonly stop: () => Promise<void>
}

export interface JoiningContext {
  readonly dataDir: string
  readonly chainId: string
  readonly database: Store
  readonly transport: Pick<Transport, 'request' | 'blame' | 'peers'>
  readonly verifier: Pick<Verifier, 'verifyBatch'>
  readonly clock: Clock
  readonly log: Log
  readonly context: () => VerificationContext
  /** Asks the peer for validator sets that are not known here yet; whether there were. They are in `context` then. */
  readonly learnSets: (peer: string) => Promise<boolean>
  readonly head: () => Height
  /** How far behind a node must be; 0: it never joins by a snapshot. */
  readonly behindBlocks: number
  /** The new database is whole: the node has to start anew on it. */
  readonly onJoined: () => void
  readonly onFatal: (error: unknown) => void
}

interface Offer {
  readonly manifest: Manifest
  readonly peers: readonly string[]
}

export function createJoining(context: JoiningContext): Joining {
  const { transport, verifier, clock, log } = context
  let running: Promise<void> | undefined
  let fetching = false
  let stopped = false
  let askedMs = Number.NEGATIVE_INFINITY
  let tellStopped: (error: unknown) => void = () => {}
  const stopping = new Promise<never>((_, reject) => (tellStopped = reject))
  stopping.catch(() => undefined)
  const connected = (): readonly string[] => transport.peers().flatMap(({ name, connected: is }) => (is ? [name] : []))
  const isFar = (height: Height): boolean => context.behindBlocks > 0 && height - context.head() >= context.behindBlocks

  const ask = (peer: string, question: SnapshotQuestion, responseBytesMax: number): Promise<Uint8Array> =>
    Promise.race([transport.request(peer, 'snapshot', encodeSnapshotQuestion(question), { timeoutMs: joinTimeoutMs, responseBytesMax }), stopping])

  /** Only what is provably wrong is blamed: our own verifier may be busy, and a certificate of other sets than we know is nobody's lie. */
  const holds = async (certificate: CheckpointCertificate, peer: string): Promise<boolean> => {
    const check = (): ReturnType<typeof farCheckpointChecks> => farCheckpointChecks(certificate, context.context())
    let listed = check()
    if (!listed.ok && listed.code === 'unknown-set' && (await context.learnSets(peer))) listed = check()
    if (!listed.ok) {
      if (listed.code === 'unknown-set') log.warn('snapshot-of-other-validators', { peer, height: certificate.content.height })
      else transport.blame(peer, `a snapshot whose certificate does not hold: ${listed.reason}`)
      return false
    }
    if (await allVerify(listed.checks, verifier)) return true
    transport.blame(peer, 'a snapshot whose certificate has a signature that does not verify')
    return false
  }

  const offerOf = async (peer: string): Promise<Manifest | undefined> => {
    try {
      const manifest = decodeManifest(await ask(peer, { type: 'manifest' }, answerBytesMax))
      if (!isFar(manifest.certificate.content.height) || !(await holds(manifest.certificate, peer))) return undefined
      if (equalBytes(joinParts(manifest.parts)?.root ?? new Uint8Array(), manifest.certificate.content.stateRoot)) return manifest
      transport.blame(peer, 'a snapshot whose parts do not come to the certified state')
    } catch (error) {
      if (!(error instanceof DongbaekError)) throw error
      log.debug('snapshot-asked', { peer, code: error.code })
      if (error.code.startsWith('codec/')) transport.blame(peer, 'a list of parts that does not decode')
    }
    return undefined
  }

  /** The highest that is offered. */
  const findOffer = async (): Promise<Offer | undefined> => {
    const offers = (await Promise.all(connected().map(async (peer) => ({ peer, manifest: await offerOf(peer) })))).flatMap(({ peer, manifest }) => (manifest === undefined ? [] : [{ peer, manifest }]))
    const best = offers.reduce<Manifest | undefined>((high, { manifest }) => (high === undefined || manifest.certificate.content.height > high.certificate.content.height ? manifest : high), undefined)
    if (best === undefined) return undefined
    const hash = snapshotHash(best)
    return { manifest: best, peers: offers.filter(({ manifest }) => equalBytes(snapshotHash(manifest), hash)).map(({ peer }) => peer) }
  }

  /** False, and the peer is put aside, when it does not answer or its answer does not hold. */
  const attempt = async (sources: SyncSources, peer: string, act: () => Promise<void>): Promise<boolean> => {
    try {
      await act()
      return true
    } catch (error) {
      const code = codeOf(error)
      if (!(error instanceof DongbaekError) || code.startsWith('store/') || code.startsWith('verifier/')) throw error
      log.debug('snapshot-piece', { peer, code })
      if (code.startsWith('transport/')) {
        if (code === 'transport/timeout' || code === 'transport/too-large') sources.bad(peer)
      } else {
        sources.bad(peer)
        transport.blame(peer, `a piece of a snapshot that does not hold: ${error.message}`)
      }
      return false
    }
  }

  const fetchParts = async (install: Install, { manifest, peers }: Offer): Promise<void> => {
    const sources = createSyncSources(clock)
    const { height } = manifest.certificate.content
    const missing = install.missingParts()
    let told = 0
    await distribute({
      pieces: missing,
      sources,
      clock,
      // whoever made it meanwhile has it too
      peers: () => [...new Set([...peers, ...connected()])],
      stopped: () => stopped,
      perform: (index, peer) => attempt(sources, peer, async () => install.putPart(index, await ask(peer, { type: 'part', height, index }, 2 * partBytesMax))),
      onDone: (done) => {
        const tenth = Math.floor((10 * done) / missing.length)
        if (tenth > told) log.info('snapshot-parts', { height, done: done + manifest.parts.length - missing.length, of: manifest.parts.length })
        told = Math.max(told, tenth)
      },
    })
  }

  const fetchBlocks = async (install: Install): Promise<void> => {
    const sources = createSyncSources(clock)
    await distribute({
      pieces: rangesOf(install.missingBlocks()),
      sources,
      clock,
      peers: connected,
      stopped: () => stopped,
      perform: ({ from, to }, peer) =>
        attempt(sources, peer, async () => {
          for (let next = from; next <= to; ) {
            const answers = decodeRanBlocks(await ask(peer, { type: 'blocks', from: next, count: to - next + 1 }, answerBytesMax))
            if (answers.length === 0) throw new DongbaekError('transport/refused', 'it has no such blocks')
            for (const answer of answers) {
              if (answer.block.decision.header.height !== next) throw new DongbaekError('snapshot/malformed', 'blocks that were not asked for')
              await install.putBlock(answer, verifier)
              next = (next + 1) as Height
            }
          }
        }),
      onDone: () => {},
    })
  }

  const openJoining = async (manifest: Manifest): Promise<Store> => {
    const folder = joiningFolder(context.dataDir)
    const open = (): Promise<Store> => openStore({ folder, chainId: context.chainId })
    if (existsSync(folder)) {
      try {
        const database = await open()
        if (isInstalling(database, manifest)) return database
        await database.close()
      } catch (error) {
        log.warn('snapshot-begun-anew', { error })
      }
    }
    destroyStore(folder)
    return open()
  }

  const join = async (offer: Offer): Promise<void> => {
    const { content } = offer.manifest.certificate
    const startMs = clock.monotonic()
    log.info('snapshot-joining', { height: content.height, head: context.head(), parts: offer.manifest.parts.length, hash: toBase64url(snapshotHash(offer.manifest)), peers: offer.peers })
    const database = await openJoining(offer.manifest)
    try {
      const { chain, genesis, schedule } = context.context()
      const install = await beginInstall(database, offer.manifest, { chain, genesis, schedule: { epochs: schedule.epochs, knownTo: content.height } })
      await fetchParts(install, offer)
      await fetchBlocks(install)
      await install.finish(context.database)
    } finally {
      await database.close()
    }
    markJoined(context.dataDir)
    log.info('snapshot-joined', { height: content.height, ms: Math.round(clock.monotonic() - startMs) })
    context.onJoined()
  }

  const run = async (certificate: CheckpointCertificate): Promise<void> => {
    // of validators that changed since, nothing can be said before the peers are asked for the sets
    const listed = farCheckpointChecks(certificate, context.context())
    if (listed.ok ? !(await allVerify(listed.checks, verifier)) : listed.code === 'malformed') return
    const offer = await findOffer()
    if (offer === undefined || stopped) return
    fetching = true
    await join(offer)
  }

  return {
    far: (certificate) => {
      if (stopped || running !== undefined || !isFar(certificate.content.height) || clock.monotonic() - askedMs < joinRetryMs) return
      askedMs = clock.monotonic()
      running = run(certificate)
        .catch((error: unknown) => {
          if (stopped) return
          if (error instanceof DongbaekError) log.warn('snapshot-given-up', { error })
          else context.onFatal(error)
        })
        .finally(() => {
          fetching = false
          running = undefined
        })
    },
    underWay: () => fetching,
    stop: async () => {
      stopped = true
      tellStopped(new DongbaekError('transport/stopped', 'the node stops'))
      await running
    },
  }
}

/** Descending heights as ascending runs of at most a question's worth. */
function rangesOf(heights: readonly Height[]): readonly { readonly from: Height; readonly to: Height }[] {
  const ranges: { from: Height; readonly to: Height }[] = []
  for (const height of heights) {
    const last = ranges.at(-1)
    if (last !== undefined && last.from === height + 1 && last.to - height < syncRangeBlocks) last.from = height
    else ranges.push({ from: height, to: height })
  }
  return ranges
}
