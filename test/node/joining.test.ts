// Fetching a snapshot from peers that lie, stall or go away, over restarts, and after the validators have changed.
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { chainIdOf, genesisRef, validatorSetOf } from '../../genesis/genesis.ts'
import type { CheckpointCertificate } from '../../consensus/certificate.ts'
import { type Epoch, epochHash, scheduleOf } from '../../consensus/validators.ts'
import { type CheckpointContent, checkpointBytes } from '../../consensus/votes.ts'
import { bodyStandingIn, openBodies } from '../../node/bodies.ts'
import { decodeSyncAnswer, encodeSyncQuestion } from '../../node/exchange.ts'
import { systemClock } from '../../node/clock.ts'
import { adoptJoinedStore, storeFolder } from '../../node/joined-store.ts'
import { createJoining, type Joining } from '../../node/joining.ts'
import { silentLog } from '../../node/log.ts'
import { openChain } from '../../node/open-chain.ts'
import { createPastStates } from '../../node/past-state.ts'
import { createServing } from '../../node/serving.ts'
import { decodeManifest, decodeRanBlocks, decodeSnapshotQuestion, encodeManifest, encodeRanBlocks, snapshotHash, type SnapshotQuestion } from '../../node/snapshot-exchange.ts'
import { makeSnapshot } from '../../node/snapshot-make.ts'
import { createSnapshots } from '../../node/snapshots.ts'
import { openStore } from '../../node/store.ts'
import type { RequestHandler, Store } from '../../node/world.ts'
import type { Hash, Height, View } from '../../primitives/brand.ts'
import { toHex, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { verifySigned } from '../../primitives/signature.ts'
import { decodeTransaction } from '../../state/transaction.ts'
import { longChain } from '../support/long-chain.ts'
import { until } from '../support/until.ts'

const blocks = 96
const { genesis, build } = longChain(blocks)
const chainId = chainIdOf(genesis)
const first: Epoch = { activation: 1 as Height, set: validatorSetOf(genesis) }

const folder = t.testdir({ source: {}, joiner: {} })
const source = join(folder, 'source')
await build(source, 300, blocks)
const database = await openStore({ folder: storeFolder(source), chainId })
const { store } = await openChain(database, genesis, 64, silentLog)
const snapshots = createSnapshots({ dataDir: source, pastState: store.pastState, clock: systemClock, log: silentLog, everyBlocks: 32, checkpointInterval: 16, certifiedHead: () => undefined })
const serving = createServing({ store, snapshots, setChanges: async () => [], bodyOf: () => undefined, mempool: { byReference: () => undefined }, payloads: { get: () => undefined, byReference: () => undefined }, clock: systemClock, standing: () => ({ top: blocks as Height, epoch: 1 as Height, view: 0 as View }) })
t.teardown(async () => {
  await snapshots.stop()
  await database.close()
})
const certificate = store.checkpoint(blocks as Height) as CheckpointCertificate

type Peer = (question: SnapshotQuestion, honest: () => Promise<Uint8Array>) => Promise<Uint8Array>
const honest: Peer = async (_, answer) => answer()
const never = new Promise<never>(() => undefined)

interface Rig {
  readonly joining: Joining
  readonly dataDir: string
  readonly blamed: string[]
  readonly asked: { readonly peer: string; readonly question: SnapshotQuestion }[]
  readonly joined: () => boolean
  readonly own: Store
}

/** `later`: a set that peers can tell of. */
async function rig(t: Test, dataDir: string, peers: Readonly<Record<string, Peer>>, later?: Epoch): Promise<Rig> {
  let epochs: readonly Epoch[] = [first]
  const own = await openStore({ folder: storeFolder(dataDir), chainId })
  await openChain(own, genesis, 64, silentLog)
  const blamed: string[] = []
  const asked: { peer: string; question: SnapshotQuestion }[] = []
  let joined = false
  const handler: RequestHandler = serving.snapshot
  const joining = createJoining({
    dataDir,
    chainId,
    database: own,
    transport: {
      request: async (peer, _, encoded) => {
        const question = decodeSnapshotQuestion(encoded)
        asked.push({ peer, question })
        return (peers[peer] as Peer)(question, async () => {
          try {
            return await handler(peer, encoded)
          } catch (error) {
            throw new DongbaekError('transport/refused', String(error))
          }
        })
      },
      blame: (peer) => void blamed.push(peer),
      peers: () => Object.keys(peers).map((name) => ({ name, connected: true }) as never),
    },
    verifier: { verifyBatch: async (items) => items.map(verifySigned) },
    clock: systemClock,
    log: silentLog,
    context: () => ({ chain: chainId, genesis: genesisRef(genesis), schedule: scheduleOf(epochs, 0 as Height, 64) }),
    learnSets: async () => {
      if (later === undefined || epochs.length > 1) return false
      epochs = [first, later]
      return true
    },
    head: () => 0 as Height,
    behindBlocks: 32,
    onJoined: () => {
      joined = true
    },
    onFatal: (error) => {
      throw error
    },
  })
  t.teardown(async () => {
    await joining.stop()
    await own.close()
  })
  return { joining, dataDir, blamed, asked, joined: () => joined, own }
}

async function rowsOf(of: Store, prefixes: string): Promise<readonly string[]> {
  const rows: string[] = []
  for await (const { key, value } of of.iterate({})) if (prefixes.includes(String.fromCharCode(key[0] as number))) rows.push(`${toHex(key)} ${toHex(value)}`)
  return rows
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

t.test('parts and blocks that liars forge are found at once and come from others: the database is that of a node which ran it all', async (t) => {
  const one = await rig(t, t.testdir(), {
    'liar-part': async ({ type }, answer) => (type === 'part' ? flipped(await answer(), 100) : answer()),
    'liar-receipts': async ({ type }, answer) => (type === 'blocks' ? encodeRanBlocks(decodeRanBlocks(await answer()).map(({ block, leaves }) => ({ block, leaves: leaves.map((leaf) => flipped(leaf, leaf.length - 1)) }))) : type === 'part' ? flipped(await answer(), 7) : answer()),
    honest,
  })
  const body = await (await openBodies({ store: one.own, clock: systemClock, stateOf: () => 'unknown' })).put(utf8('handed in just before'))
  one.joining.far(certificate)
  await until(one.joined, 30_000)
  t.ok(one.blamed.length > 0 && one.blamed.every((peer) => peer.startsWith('liar')), `blamed: ${one.blamed.join(', ')}`)
  await one.own.close()
  t.ok(adoptJoinedStore(one.dataDir))
  t.notOk(adoptJoinedStore(one.dataDir), 'once')
  const joined = await openStore({ folder: storeFolder(one.dataDir), chainId })
  t.teardown(() => joined.close())
  const chain = await openChain(joined, genesis, 64, silentLog)
  t.ok((await openBodies({ store: joined, clock: systemClock, stateOf: (hash) => bodyStandingIn(chain.state, hash) })).get(body), 'bodies come along')
  t.same(chain.store.head(), store.head())
  t.same(await rowsOf(joined, 'sn'), await rowsOf(database, 'sn'), 'state and tree')
  const { height } = chain.store.head()
  const oldest = chain.store.oldest()
  t.ok(oldest > 1 && oldest < height)
  for (let at = oldest; at <= height; at = (at + 1) as Height) t.same([chain.store.block(at), chain.store.payload(at), chain.store.results(at)], [store.block(at), store.payload(at), store.results(at)])
  const [last] = (store.payload(height) ?? []).map(decodeTransaction)
  t.ok(last !== undefined && chain.state.seen.has(last), 'what could run again is remembered')
  const { sync } = createServing({ store: chain.store, snapshots, setChanges: async () => [], bodyOf: () => undefined, mempool: { byReference: () => undefined }, payloads: { get: () => undefined, byReference: () => undefined }, clock: systemClock, standing: () => ({ top: height, epoch: 1 as Height, view: 0 as View }) })
  const ask = (from: number): Promise<Uint8Array> => sync('peer', encodeSyncQuestion({ from: from as Height, count: 1 }))
  await t.rejects(ask(oldest - 1), { code: 'chain/pruned' }, 'what it never had is refused, so that others are asked')
  t.equal(decodeSyncAnswer(await ask(oldest)).blocks.length, 1)
})

t.test('a node that joined and one that ran it all make the same snapshot, byte for byte, whoever signed the certificate that each of them keeps', async (t) => {
  const one = await rig(t, t.testdir(), { honest })
  one.joining.far(certificate)
  await until(one.joined, 30_000)
  await one.own.close()
  t.ok(adoptJoinedStore(one.dataDir))
  const joined = await openStore({ folder: storeFolder(one.dataDir), chainId })
  t.teardown(() => joined.close())
  const make = async (from: Store, name: string, signatures: CheckpointCertificate['signatures']): Promise<{ readonly hash: string; readonly parts: readonly string[] }> => {
    const out = join(one.dataDir, 'made', name)
    mkdirSync(out, { recursive: true })
    const manifest = await makeSnapshot({ state: createPastStates(from).open(), certificate: { ...certificate, signatures }, folder: join(out, 'snapshot'), rest: async () => {} })
    const files = readdirSync(join(out, 'snapshot')).filter((file) => file.endsWith('.part')).sort()
    return { hash: toHex(snapshotHash(manifest)), parts: files.map((file) => toHex(readFileSync(join(out, 'snapshot', file)))) }
  }
  const [ran, fetched] = [await make(database, 'ran', certificate.signatures), await make(joined, 'joined', certificate.signatures.toReversed())]
  t.ok(ran.parts.length > 0)
  t.same(fetched, ran)
})

t.test('a block with anything forged is refused, whatever it is', async (t) => {
  type Block = ReturnType<typeof decodeRanBlocks>[number]
  const forgeries: Readonly<Record<string, (block: Block) => Block>> = {
    'a receipt less': ({ block, leaves }) => ({ block, leaves: leaves.slice(0, -1) }),
    'the receipts in another order': ({ block, leaves: [outcome, ...receipts] }) => ({ block, leaves: [outcome as Uint8Array, ...receipts.reverse()] }),
    'another time': ({ block, leaves }) => ({ block: { ...block, decision: { ...block.decision, header: { ...block.decision.header, timeMs: (block.decision.header.timeMs + 1) as typeof block.decision.header.timeMs } } }, leaves }),
    'a signature': ({ block, leaves }) => ({ block: { ...block, decision: { ...block.decision, certificate: { ...block.decision.certificate, signatures: block.decision.certificate.signatures.map((entry) => ({ ...entry, signature: new Uint8Array(64) })) } } }, leaves }),
    'a signer less': ({ block, leaves }) => ({ block: { ...block, decision: { ...block.decision, certificate: { ...block.decision.certificate, signatures: block.decision.certificate.signatures.slice(1) } } }, leaves }),
    'an envelope': ({ block, leaves }) => ({ block: { ...block, envelopes: block.envelopes.map((envelope) => flipped(envelope, envelope.length - 1)) }, leaves }),
    'another block': ({ block, leaves }) => ({ block: { ...block, decision: { ...block.decision, header: { ...block.decision.header, height: (block.decision.header.height + 1) as Height } } }, leaves }),
  }
  for (const [what, forge] of Object.entries(forgeries)) {
    let told = (): void => {}
    const lied = new Promise<void>((resolve) => (told = resolve))
    const one = await rig(t, join(folder, what.replaceAll(' ', '-')), {
      liar: async ({ type }, answer) => {
        if (type !== 'blocks') return answer()
        told()
        return encodeRanBlocks(decodeRanBlocks(await answer()).map(forge))
      },
      honest: async ({ type }, answer) => {
        if (type === 'blocks') await lied
        return answer()
      },
    })
    one.joining.far(certificate)
    await until(one.joined, 30_000)
    t.same([...new Set(one.blamed)], ['liar'], what)
  }
})

t.test('a snapshot whose certificate or list of parts does not hold is not begun, and a node with liars alone stays as it is', async (t) => {
  const manifest = decodeManifest(snapshots.manifest(undefined))
  const forged = (changes: Partial<CheckpointCertificate>): Uint8Array => encodeManifest({ ...manifest, certificate: { ...manifest.certificate, ...changes } })
  const answering = (bytes: Uint8Array): Peer => async ({ type }, answer) => (type === 'manifest' ? bytes : answer())
  const one = await rig(t, t.testdir(), {
    unsigned: answering(forged({ signatures: manifest.certificate.signatures.slice(0, 1) })),
    signature: answering(forged({ signatures: manifest.certificate.signatures.map((entry) => ({ ...entry, signature: new Uint8Array(64) })) })),
    root: answering(forged({ content: { ...manifest.certificate.content, stateRoot: new Uint8Array(32).fill(1) as Hash } })),
    parts: answering(encodeManifest({ ...manifest, parts: [{ type: 'inner', prefix: '', hash: new Uint8Array(32).fill(1) as Hash }] })),
    bytes: answering(Uint8Array.of(1, 2, 3)),
    none: async () => {
      throw new DongbaekError('transport/refused', 'snapshot/none')
    },
  })
  one.joining.far(certificate)
  await until(() => one.blamed.length >= 5)
  t.same([...new Set(one.blamed)].sort((a, b) => (a < b ? -1 : 1)), ['bytes', 'parts', 'root', 'signature', 'unsigned'])
  t.notOk(one.asked.some(({ question }) => question.type === 'part'))
  t.notOk(one.joining.underWay())
})

t.test('a certificate that is not far above the head, or that nobody signed, leads to no question', async (t) => {
  const one = await rig(t, t.testdir(), { honest })
  one.joining.far({ ...certificate, content: { ...certificate.content, height: 20 as Height } })
  one.joining.far({ ...certificate, signatures: [] })
  await one.joining.stop()
  t.same(one.asked, [])
})

t.test('what was fetched is kept over a restart, and only the rest is asked for', async (t) => {
  const dataDir = t.testdir()
  const one = await rig(t, dataDir, { honest: async (question, answer) => (question.type === 'blocks' ? never : answer()) })
  one.joining.far(certificate)
  await until(() => one.asked.some(({ question }) => question.type === 'blocks'), 20_000)
  await one.joining.stop()
  await one.own.close()
  const again = join(folder, 'again')
  cpSync(dataDir, again, { recursive: true })
  const two = await rig(t, again, { honest })
  two.joining.far(certificate)
  await until(two.joined, 30_000)
  t.notOk(two.asked.some(({ question }) => question.type === 'part'))
})

t.test('after the validators have changed, a snapshot is taken once the sets are known, and nobody is blamed before', async (t) => {
  const pairs = [5, 6, 7, 8].map((n) => keyPairFromSeed(new Uint8Array(32).fill(n)))
  const next: Epoch = { activation: 50 as Height, set: { validators: pairs.map(({ publicKey }, i) => ({ name: `later-${i}`, organisation: i % 2 === 0 ? 'busan' : 'bnk', publicKey })), minimums: [] } }
  const content: CheckpointContent = { height: 90 as Height, blockHash: new Uint8Array(32) as Hash, stateRoot: new Uint8Array(32).fill(9) as Hash, nextSet: epochHash(next) }
  const far: CheckpointCertificate = { content, signatures: pairs.slice(0, 3).map((pair, validator) => ({ validator, signature: sign(checkpointBytes(chainId, content), pair) })) }
  const manifest = encodeManifest({ certificate: far, parts: [{ type: 'inner', prefix: '', hash: content.stateRoot }] })
  const peers = { one: (async ({ type }) => (type === 'manifest' ? manifest : never)) satisfies Peer }
  for (const [folderName, later] of [['told', next], ['untold', undefined]] as const) {
    const one = await rig(t, join(folder, folderName), peers, later)
    one.joining.far(far)
    await until(() => one.asked.length > 0 && (later === undefined ? !one.joining.underWay() : one.asked.some(({ question }) => question.type === 'part')))
    await one.joining.stop()
    t.same([one.blamed, one.asked.some(({ question }) => question.type === 'part')], [[], later !== undefined], folderName)
  }
})
